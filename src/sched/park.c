#include "sched/park.h"

#include "sched/switch.h"

static const char *const reason_texts[] = {
#define BW_REASON_TEXT(name, text) text,
    BW_REASONS(BW_REASON_TEXT)
#undef BW_REASON_TEXT
};

const char *bw__reason_text(bw__reason reason) {
  enum { COUNT = sizeof reason_texts / sizeof *reason_texts };
  return (unsigned)reason < COUNT ? reason_texts[reason] : "overwritten"; // see dump.c
}

void bw__waiter_init(bw__waiter *w) {
  bw__g *g = bw__g_current();
  *w = (bw__waiter){.kind = g ? BW_WAIT_GOROUTINE : BW_WAIT_THREAD};
  if (g)
    w->g = g;
  else
    bw__note_clear(&w->note);
}

// What the goroutine notes before it parks.
static inline bw__g *parking(bw__m *m, bw__waiter *w, bw__reason reason) {
  bw__g *g = m->cur;
  g->waiter = w;
  bw__shared_store(&g->reason, reason);
  bw__shared_store(&g->since, bw__load_relaxed(&bw__sched_state.coarse_now));
  bw__tally_add(&m->p->parks, 1);
  return g;
}

// Leaves the goroutine; its M does the rest when the context is saved (worker.c, settle).
static void park(bw__waiter *w, bw__mutex *held, bw__reason reason) {
  bw__m *m = bw__m_current();
  bw__g *g = parking(m, w, reason);
  bw__g *to = bw__choose_directly(m);
  if (to) {
    bw__shared_store(&g->state, BW_G_WAITING);
    if (held) bw__mutex_unlock(held);
    bw__go_directly(m, g, to);
    return;
  }
  m->after = BW_AFTER_PARK;
  m->unlock = held;
  bw__ctx_suspend(g->ctx);
}

// The same with a function in place of the lock.
static void park_commit(bw__waiter *w, void (*commit)(void *), void *arg, bw__reason reason) {
  bw__m *m = bw__m_current();
  bw__g *g = parking(m, w, reason);
  g->choosing = w;
  bw__g *to = bw__choose_directly(m);
  if (to) {
    bw__shared_store(&g->state, BW_G_WAITING);
    commit(arg);
    bw__go_directly(m, g, to);
    return;
  }
  m->after = BW_AFTER_PARK_COMMIT;
  m->commit = commit;
  m->commit_arg = arg;
  bw__ctx_suspend(g->ctx);
}

// Another thread often comes within the microsecond that a sender and its receiver are apart: a
// look around is cheaper than two of them going to sleep in turn.
static void look_round(bw__note *n) {
  enum { LOOKS = BW_WASM ? 1000 : 60 };
  for (int i = 0; i < LOOKS && !bw__note_woken(n); i++) bw__cpu_relax();
}

static bool sleep_thread(bw__waiter *w, int64_t until) {
  look_round(&w->note);
  bool woken = bw__note_sleep(&w->note, until);
  bw__port_mem_sync(); // the value may lie in memory that the waker's thread grew
  return woken;
}

void bw__wait(bw__waiter *w, bw__mutex *held, bw__reason reason) {
  if (BW_LIKELY(w->kind == BW_WAIT_GOROUTINE)) {
    park(w, held, reason);
    return;
  }
  bw__mutex_unlock(held);
  sleep_thread(w, -1);
}

bool bw__wait_commit(bw__waiter *w, void (*commit)(void *), void *arg, int64_t until,
                     bw__reason reason) {
  if (w->kind == BW_WAIT_GOROUTINE) {
    park_commit(w, commit, arg, reason);
    return true;
  }
  commit(arg);
  return sleep_thread(w, until);
}

void bw__wait_again(bw__waiter *w) { sleep_thread(w, -1); }

void bw__wait_over(bw__waiter *w) {
  if (w->kind == BW_WAIT_GOROUTINE) w->g->choosing = NULL;
}

void bw__waiter_ready(bw__waiter *w) {
  switch (w->kind) {
  case BW_WAIT_GOROUTINE: bw__sched_ready(w->g, true); break;
  case BW_WAIT_THREAD: bw__note_wake(&w->note); break;
  case BW_WAIT_TICKET: w->complete(w); break;
  }
}

_Noreturn void bw__wait_forever(bw__reason reason) {
  if (bw__g_current()) park(NULL, NULL, reason);
  bw__note never = {0};
  for (;;) bw__note_sleep(&never, -1);
}
