// Parking in place: what bw__wait does, for who cannot afford the calls.
//
// A processor foretells where a return goes to from the calls that it has seen. After a switch it
// has seen those of another goroutine, so each return on the way back from a park is foretold
// wrongly, at some 15 cycles each: every function between the program's and the switch costs more
// than all that it does.
#ifndef BURROW_SCHED_PARKING_H
#define BURROW_SCHED_PARKING_H

#include "sched/switch.h"

// bw__waiter_init. Returns this thread's M, or NULL on a plain thread.
static BW_INLINE bw__m *bw__waiter_init_here(bw__waiter *w) {
  bw__m *m = bw__m_current();
  bw__g *g = m ? m->cur : NULL;
  *w = (bw__waiter){.kind = g ? BW_WAIT_GOROUTINE : BW_WAIT_THREAD};
  if (g)
    w->g = g;
  else
    bw__note_clear(&w->note);
  return g ? m : NULL;
}

// What the goroutine notes before it parks.
static BW_INLINE bw__g *bw__parking(bw__m *m, bw__waiter *w, bw__reason reason) {
  bw__g *g = m->cur;
  g->waiter = w;
  bw__shared_store(&g->reason, reason);
  bw__shared_store(&g->since, bw__load_relaxed(&bw__sched_state.coarse_now));
  bw__tally_add(&m->p->parks, 1);
  return g;
}

// Leaves the goroutine; its M does the rest when the context is saved (worker.c, settle).
static BW_INLINE void bw__park(bw__m *m, bw__waiter *w, bw__mutex *held, bw__reason reason) {
  bw__g *g = bw__parking(m, w, reason);
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
static BW_INLINE void bw__park_commit(bw__m *m, bw__waiter *w, void (*commit)(void *), void *arg,
                                      bw__reason reason) {
  bw__g *g = bw__parking(m, w, reason);
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

// bw__wait, for what bw__waiter_init_here has returned.
static BW_INLINE void bw__wait_here(bw__m *m, bw__waiter *w, bw__mutex *held, bw__reason reason) {
  if (BW_LIKELY(m))
    bw__park(m, w, held, reason);
  else
    bw__wait_thread(w, held);
}

// bw__wait_commit, likewise.
static BW_INLINE bool bw__wait_commit_here(bw__m *m, bw__waiter *w, void (*commit)(void *),
                                           void *arg, int64_t until, bw__reason reason) {
  if (BW_UNLIKELY(!m)) return bw__wait_commit_thread(w, commit, arg, until);
  bw__park_commit(m, w, commit, arg, reason);
  return true;
}

#endif
