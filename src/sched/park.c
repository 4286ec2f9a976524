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

void bw__waiter_init(bw__waiter *w, void *elem) {
  bw__g *g = bw__g_current();
  *w = (bw__waiter){.kind = g ? BW_WAIT_GOROUTINE : BW_WAIT_THREAD, .elem = elem};
  if (g)
    w->g = g;
  else
    bw__note_clear(&w->note);
}

// Leaves the goroutine; its M does the rest when the context is saved (worker.c, settle).
static void park(bw__mutex *held, bw__reason reason) {
  bw__m *m = bw__m_current();
  bw__g *g = m->cur;
  bw__shared_store(&g->reason, reason);
  bw__shared_store(&g->since, bw__load_relaxed(&bw__sched_state.coarse_now));
  bw__tally_add(&m->p->parks, 1);
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

void bw__wait(bw__waiter *w, bw__mutex *held, bw__reason reason) {
  if (w->kind == BW_WAIT_GOROUTINE) {
    park(held, reason);
    return;
  }
  bw__mutex_unlock(held);
  bw__note_sleep(&w->note, -1);
  bw__port_mem_sync(); // the value may lie in memory that the waker's thread grew
}

void bw__waiter_ready(bw__waiter *w) {
  switch (w->kind) {
  case BW_WAIT_GOROUTINE: bw__sched_ready(w->g, true); break;
  case BW_WAIT_THREAD: bw__note_wake(&w->note); break;
  case BW_WAIT_TICKET: w->complete(w); break;
  }
}

_Noreturn void bw__wait_forever(bw__reason reason) {
  if (bw__g_current()) park(NULL, reason);
  bw__note never = {0};
  for (;;) bw__note_sleep(&never, -1);
}
