// The public face of the scheduler: start a goroutine, yield, ask.
#include "sched/sched.h"

#include <burrow/error.h>

int bw_go_with(const bw_go_options *options, void (*fn)(void *), void *arg) {
  if (!fn) bw__fatal("go of nil func value");
  if (!bw__sched_state.ps) return BW_ESTATE;
  bw__g *g = bw__g_make(options, fn, arg);
  if (!g) return BW_ENOMEM;
  bw__m *m = bw__m_current();
  if (m) bw__count_own(&m->p->spawns, 1);
  bw__sched_push(g);
  return 0;
}

int bw_go(void (*fn)(void *), void *arg) { return bw_go_with(NULL, fn, arg); }

void bw_gosched(void) {
  bw__m *m = bw__m_current();
  if (!m || !m->cur) {
    bw__port_thread_yield();
    return;
  }
  m->after = BW_AFTER_YIELD;
  bw__count_own(&m->p->yields, 1);
  bw__ctx_suspend(&m->cur->ctx);
}

int bw_procs(void) { return bw__sched_state.ps ? bw__sched_state.procs : 0; }

int bw_proc_index(void) {
  bw__m *m = bw__m_current();
  return m ? m->p->index : -1;
}

void bw_outside_enter(void) { bw__add(&bw__sched_state.outside, 1); }

// When the last outsider leaves, Ms that are all asleep may be in a deadlock: have one look again.
void bw_outside_leave(void) {
  if (bw__sub(&bw__sched_state.outside, 1) == 1) bw__sched_kick();
}
