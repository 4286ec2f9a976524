// The loop of an M: choose a goroutine, run it until it gives control back, settle it.
//
// This is the hot path of the library: a switch from one goroutine to another goes from
// bw__ctx_suspend through settle, choose and run to bw__ctx_resume. What happens rarely is in
// find.c.
#include "sched/switch.h"
#include "sched/trace.h"

// A goroutine that yields goes to the tail of its P's queue, or of the global one when others wait
// there, who would else wait for longer than it.
static inline void yielded(bw__m *m, bw__g *g) {
  bw__shared_store(&g->state, BW_G_RUNNABLE);
  if (BW_LIKELY(m->p && bw__may_yield_here()))
    bw__ring_push(m->p, g);
  else
    bw__globq_put(g);
}

// After the switch back: the context is saved, so others may have the goroutine from now on.
// What comes back need not be the goroutine that was resumed: see switch.h.
static inline void settle(bw__m *m, bool alive) {
  bw__g *g = m->cur;
  bw__after after = m->after;
  bw__trace_stop(m, g, alive);
  m->cur = NULL;
  if (BW_UNLIKELY(!alive)) {
    bw__g_recycle(m, g);
    return;
  }
  if (after == BW_AFTER_PARK) {
    bw__mutex *unlock = m->unlock;
    bw__shared_store(&g->state, BW_G_WAITING);
    if (unlock) bw__mutex_unlock(unlock); // from here on *g may run elsewhere
    return;
  }
  if (after == BW_AFTER_PARK_COMMIT) {
    bw__shared_store(&g->state, BW_G_WAITING);
    m->commit(m->commit_arg); // as above
    return;
  }
  if (after == BW_AFTER_YIELD)
    yielded(m, g);
  else
    bw__settle_rarely(m, g, after);
}

// The next goroutine of this P, when there is nothing else to look after. NULL: look closer.
static inline bw__g *choose(bw__m *m) {
  bw__p *p = m->p;
  if (BW_UNLIKELY(!p || m->pinned || bw__load_relaxed(&p->attention))) return NULL;
  uint64_t runs = bw__tally_add(&p->runs, 1);
  if (BW_UNLIKELY(runs % BW_TIMERS_EVERY == 0)) bw__timers_run_own(m);
  if (BW_UNLIKELY(runs % BW_GLOBAL_EVERY == 0)) {
    bw__g *oldest = bw__look_around(m);
    if (oldest) return oldest;
  }
  return bw__runq_take(p);
}

static inline bw__g *next(bw__m *m) {
  bw__g *g = choose(m);
  return BW_LIKELY(g && (!bw__g_has(g, BW_G_PINNED) || g->pinned == m)) ? g : bw__find(m, g);
}

// Runs g and some that follow. Returns the one after those. (A function of its own, because engines
// of wasm replace a function by its optimised form when it is called the next time: a loop that
// never ends would stay what it was at the start.)
static BW_NOINLINE bw__g *serve_some(bw__m *m, bw__g *g) {
  enum { SOME = 1000 };
  bw__ctx_never_suspends();
  for (int i = 0; g && i < SOME; i++) {
    bw__run_begin(m, g);
    bw__trace_start(m, g);
    bool alive = bw__ctx_resume(g->ctx);
    settle(m, alive);
    g = next(m);
  }
  return g;
}

// The first goroutine comes from bw__find, after which the M counts no more as one that looks for
// work.
void bw__m_serve(bw__m *m) {
  bw__ctx_never_suspends();
  bw__unwind outside = bw__unwind_thread_swap((bw__unwind){NULL, NULL}); // what called bw_run
  bw__m_set_current(m);
  bw__m_set_here(m);
  bw__port_thread_fault_stack(true);
  if (m->given) bw__p_hold(m, m->given);
  m->given = NULL;
  for (bw__g *g = bw__find(m, NULL); g;) g = serve_some(m, g);
  if (m->p) bw__p_let_go(m);
  bw__port_thread_fault_stack(false);
  bw__m_set_here(NULL);
  bw__m_set_current(NULL);
  (void)bw__unwind_thread_swap(outside);
}
