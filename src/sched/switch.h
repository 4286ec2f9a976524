// Switching between goroutines: what the loop of an M and the short cut around it have in common.
//
// A switch goes through the M: the goroutine suspends, the M settles it, chooses the next, resumes
// it. What must not happen before a context is saved (others may have the goroutine then) happens
// in settle.
//
// The short cut: with one P (`solo`) nobody else can run a goroutine that was made runnable too
// early, whatever queue it is in, since to run it takes the P, and this M has that until it has
// switched. So a goroutine may settle itself, choose the next and go there directly: one change of
// stacks in place of two. Natively only (BW_CTX_TRANSFERS).
#ifndef BURROW_SCHED_SWITCH_H
#define BURROW_SCHED_SWITCH_H

#include "sched/runq.h"
#include "sched/trace.h"

// How often the loop looks beyond its P's queue, in goroutines run: at the clock when timers are
// pending, and at the global queue (61 as in Go: a prime, so that it does not fall in step with
// anything).
enum { BW_TIMERS_EVERY = 16, BW_GLOBAL_EVERY = 61 };

// m begins to run g, whose context may be looked at only from here on.
static inline void bw__run_begin(bw__m *m, bw__g *g) {
  bw__p *p = m->p;
  m->cur = g;
  int last = bw__shared_load(&g->last_proc);
  if (last != p->index) {
    if (last < 0)
      bw__g_begin(p, g);
    else
      bw__tally_add(&p->migrations, 1);
    bw__shared_store(&g->last_proc, p->index);
  }
  bw__shared_store(&p->running, bw__shared_load(&g->id));
  bw__shared_store(&g->state, BW_G_RUNNING);
}

// Whether yielding goroutines may stay on their P: nobody waits in the global queue, who would else
// wait for longer than they.
static inline bool bw__may_yield_here(void) {
  return bw__load_relaxed(&bw__sched_state.queued) == 0;
}

#if BW_CTX_TRANSFERS
// The goroutine to go to directly; NULL: go through the M.
static inline bw__g *bw__choose_directly(bw__m *m) {
  bw__p *p = m->p;
  if (!p->q.solo || m->pinned || bw__load_relaxed(&p->attention) || bw__trace_on()) return NULL;
  uint64_t runs = bw__tally_read(&p->runs) + 1;
  if (runs % BW_TIMERS_EVERY == 0 || runs % BW_GLOBAL_EVERY == 0) return NULL;
  bw__g *g = bw__runq_take(p);
  if (!g) return NULL;
  if (BW_UNLIKELY(bw__g_has(g, BW_G_PINNED))) {
    bw__next_put(p, g);
    return NULL;
  }
  bw__tally_write(&p->runs, runs);
  return g;
}

static inline void bw__go_directly(bw__m *m, bw__g *from, bw__g *to) {
  bw__run_begin(m, to);
  bw__ctx_transfer(from->ctx, to->ctx);
}
#else
static inline bw__g *bw__choose_directly(bw__m *m) {
  (void)m;
  return NULL;
}

static inline void bw__go_directly(bw__m *m, bw__g *from, bw__g *to) {
  (void)m;
  (void)from;
  (void)to;
}
#endif

#endif
