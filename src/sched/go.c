// The public face of the scheduler: start a goroutine, yield, end.
#include "sched/switch.h"
#include "sched/trace.h"

#include <burrow/error.h>

static int go(const bw_go_options *options, void (*fn)(void *), void *arg, uintptr_t made) {
  bw__sched *s = &bw__sched_state;
  if (!fn) bw__fatal("go of nil func value");
  if (!s->running) return BW_ESTATE;
  bw__m *m = bw__m_current();
  bw__g *g = bw__g_make(m, options, fn, arg, made);
  if (!g) return BW_ENOMEM;
  bw__trace_create(m, g);
  if (m && m->p && m->cur)
    bw__next_put_within(m->p, g, BW_ROOM_FOR_NEW);
  else if (m && m->p)
    bw__ring_push(m->p, g); // by a timer: in the order in which they are due
  else
    bw__globq_put(g);
  bw__wake_one();
  return 0;
}

int bw_go(void (*fn)(void *), void *arg) {
  return go(NULL, fn, arg, (uintptr_t)bw__return_address());
}

int bw_go_with(const bw_go_options *options, void (*fn)(void *), void *arg) {
  return go(options, fn, arg, (uintptr_t)bw__return_address());
}

void bw_gosched(void) {
  bw__m *m = bw__m_current();
  if (!m || !m->cur) {
    bw__port_thread_yield();
    return;
  }
  bw__g *g = m->cur;
  bw__p *p = m->p;
  bw__tally_add(&p->yields, 1);
  bw__g *to = bw__may_yield_here() ? bw__choose_directly(m) : NULL;
  if (to) {
    bw__shared_store(&g->state, BW_G_RUNNABLE);
    bw__ring_push(p, g);
    bw__go_directly(m, g, to);
    return;
  }
  m->after = BW_AFTER_YIELD;
  bw__ctx_suspend(g->ctx);
}

void bw_goexit(void) {
  bw__sched *s = &bw__sched_state;
  bw__g *g = bw__g_current();
  if (!g) bw__fatal("bw_goexit on a thread that is no goroutine");
  bw__unwind_for_exit(&g->unwind);
  if (bw__shared_load(&g->id) == 1) {
    bw__mutex_lock(&s->lock);
    s->main_exited = true;
    bw__mutex_unlock(&s->lock);
  }
  bw__m_current()->after = BW_AFTER_EXIT;
  bw__ctx_suspend(g->ctx);
  __builtin_unreachable();
}

int bw_proc_index(void) {
  bw__m *m = bw__m_current();
  return m && m->p ? m->p->index : -1;
}
