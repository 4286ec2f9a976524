// The loop of an M: choose a goroutine, run it until it gives control back, settle it.
//
// This is the hot path of the library: a switch from one goroutine to another goes from
// bw__ctx_suspend through settle, choose and run to bw__ctx_resume. What happens rarely is in
// find.c.
#include "sched/runq.h"
#include "sched/trace.h"

// How often the loop looks beyond its P's queue, in goroutines run: at the clock when timers are
// pending, and at the global queue (61 as in Go: a prime, so that it does not fall in step with
// anything).
enum { TIMERS_EVERY = 16, GLOBAL_EVERY = 61 };

// A goroutine that yields goes to the tail of its P's queue, or of the global one when others wait
// there, who would else wait for longer than it.
static inline void yielded(bw__m *m, bw__g *g) {
  bw__shared_store(&g->state, BW_G_RUNNABLE);
  if (BW_LIKELY(m->p && bw__load_relaxed(&bw__sched_state.queued) == 0))
    bw__ring_push(m->p, g);
  else
    bw__globq_put(g);
}

// After the switch back: the context is saved, so others may have the goroutine from now on.
static inline void settle(bw__m *m, bw__g *g, bool alive) {
  bw__after after = m->after;
  bw__trace_stop(m, g, alive);
  m->cur = NULL;
  if (BW_UNLIKELY(!alive)) {
    if (g->pinned) bw__pinned_end(m);
    bw__g_recycle(m, g);
    return;
  }
  if (BW_UNLIKELY(bw__ctx_headroom(&g->ctx) < 0)) bw__stack_overflow(g, (uintptr_t)g->ctx.sp);
  if (after == BW_AFTER_PARK) {
    bw__mutex *unlock = m->unlock;
    bw__shared_store(&g->state, BW_G_WAITING);
    if (unlock) bw__mutex_unlock(unlock); // from here on *g may run elsewhere
    return;
  }
  if (after == BW_AFTER_YIELD)
    yielded(m, g);
  else
    bw__settle_rarely(m, g, after);
}

static inline void run(bw__m *m, bw__g *g) {
  bw__p *p = m->p;
  m->cur = g;
  bw__tally_add(&p->runs, 1);
  if (g->last_proc != p->index) {
    if (g->last_proc >= 0) bw__tally_add(&p->migrations, 1);
    g->last_proc = p->index;
  }
  bw__shared_store(&p->running, bw__shared_load(&g->id));
  bw__shared_store(&g->state, BW_G_RUNNING);
  bw__trace_start(m, g);
  bool alive = bw__ctx_resume(&g->ctx);
  settle(m, g, alive);
}

// The next goroutine of this P, when there is nothing else to look after. NULL: look closer.
static inline bw__g *choose(bw__m *m) {
  bw__p *p = m->p;
  if (BW_UNLIKELY(!p || m->pinned || bw__load_relaxed(&p->attention))) return NULL;
  uint32_t tick = bw__shared_load(&p->tick) + 1;
  bw__shared_store(&p->tick, tick);
  if (BW_UNLIKELY(tick % TIMERS_EVERY == 0)) bw__run_due_timers(m);
  if (BW_UNLIKELY(tick % GLOBAL_EVERY == 0)) {
    bw__g *oldest = bw__look_around(m);
    if (oldest) return oldest;
  }
  return bw__runq_take(p);
}

void bw__m_serve(bw__m *m) {
  bw__m_set_current(m);
  if (m->given) bw__p_hold(m, m->given);
  m->given = NULL;
  for (;;) {
    bw__g *g = choose(m);
    if (BW_UNLIKELY(!g || (g->pinned && g->pinned != m))) {
      g = bw__find(m, g);
      if (!g) break;
    }
    run(m, g);
  }
  if (m->p) bw__trace_proc_stop(m);
  bw__cache_use(NULL);
  m->p = NULL;
  bw__m_set_current(NULL);
}
