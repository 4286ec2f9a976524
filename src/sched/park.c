#include "sched/park.h"

#include "port/ctx.h"
#include "sched/parking.h"

static const char *const reason_texts[] = {
#define BW_REASON_TEXT(name, text) text,
    BW_REASONS(BW_REASON_TEXT)
#undef BW_REASON_TEXT
};

const char *bw__reason_text(bw__reason reason) {
  enum { COUNT = sizeof reason_texts / sizeof *reason_texts };
  return (unsigned)reason < COUNT ? reason_texts[reason] : "overwritten"; // see dump.c
}

const char *bw__reason_object(bw__reason reason) {
  switch (reason) {
  case BW_REASON_MUTEX: return "mutex";
  case BW_REASON_RWMUTEX_READ:
  case BW_REASON_RWMUTEX: return "rwmutex";
  case BW_REASON_COND: return "cond";
  case BW_REASON_WAITGROUP: return "waitgroup";
  case BW_REASON_SEMA: return "semaphore";
  default: return NULL;
  }
}

void bw__waiter_init(bw__waiter *w) { bw__waiter_init_here(w); }

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

static bw__m *m_of(const bw__waiter *w) {
  return w->kind == BW_WAIT_GOROUTINE ? bw__m_current() : NULL;
}

void bw__wait(bw__waiter *w, bw__mutex *held, bw__reason reason) {
  bw__wait_here(m_of(w), w, held, reason);
}

void bw__wait_thread(bw__waiter *w, bw__mutex *held) {
  bw__mutex_unlock(held);
  sleep_thread(w, -1);
}

bool bw__wait_commit(bw__waiter *w, void (*commit)(void *), void *arg, int64_t until,
                     bw__reason reason) {
  return bw__wait_commit_here(m_of(w), w, commit, arg, until, reason);
}

bool bw__wait_commit_thread(bw__waiter *w, void (*commit)(void *), void *arg, int64_t until) {
  commit(arg);
  return sleep_thread(w, until);
}

void bw__wait_again(bw__waiter *w) { sleep_thread(w, -1); }

void bw__wait_over(bw__waiter *w) {
  if (w->kind == BW_WAIT_GOROUTINE) w->g->choosing = NULL;
}

// Apart, so that asyncify learns of it alone: no ticket's function suspends.
static BW_NOINLINE void complete(bw__waiter *w) {
  bw__ctx_never_suspends();
  w->complete(w);
}

void bw__waiter_ready(bw__waiter *w) {
  switch (w->kind) {
  case BW_WAIT_GOROUTINE: bw__sched_ready(w->g, true); break;
  case BW_WAIT_THREAD: bw__note_wake(&w->note); break;
  case BW_WAIT_TICKET: complete(w); break;
  }
}

_Noreturn void bw__wait_forever(bw__reason reason) {
  if (bw__g_current()) bw__park(bw__m_current(), NULL, NULL, reason);
  bw__note never = {0};
  for (;;) bw__note_sleep(&never, -1);
}
