// Calls that block their thread: a system call, a C library's wait.
//
// The goroutine keeps its thread and gives up its P. When somebody waits for a P it is handed on at
// once. When nobody does, and there is a monitor thread, giving up is a mark: the P stays with the
// thread for the time being, as BLOCKING, and most calls are back before anybody wanted it. Until
// then anyone may take it: who has work for an M and finds no idle P (start_m), and the monitor
// when the call takes long. Who wins is decided by one CAS of the P's status, from BLOCKING to
// HELD.
//
// No lost wake-up: the mark is set, then the thread looks for work that waits; who submits work
// publishes it, then looks for marks (wakeups.md: the thread is a sleeper here).
//
// During the call the thread counts as a plain thread: whatever it does, it blocks no P.
#include "sched/poll.h"
#include "sched/runq.h"
#include "sched/trace.h"

// Whether an M with this P would have something to do.
static bool wanted(bw__p *p) {
  bw__sched *s = &bw__sched_state;
  return !bw__runq_empty(p) || bw__load(&s->queued) > 0 ||
         bw__timers_next_of_all() < bw__load(&s->keeps_until) ||
         (bw__poll_wanted() && !bw__load(&s->polling));
}

bool bw__p_unmark(bw__p *p) {
  uint32_t status = BW_P_BLOCKING;
  if (!bw__cas(&p->status, &status, BW_P_HELD)) return false;
  bw__sub(&bw__sched_state.blocking, 1);
  return true;
}

static void leave(bw__m *m, bw__p *p) {
  m->p = NULL;
  bw__cache_use(NULL); // before the P can be another's: its cache goes with it
  bw__m_set_current(NULL);
  bw__tally_add(&p->blocks, 1);
  if (!bw__monitor_runs()) {
    bw__p_hand_on(p);
    return;
  }
  bw__add(&bw__sched_state.blocking, 1); // first: it never reads less than there are marks
  bw__store(&p->status, BW_P_BLOCKING);
  if (wanted(p) && bw__p_unmark(p)) bw__p_hand_on(p);
}

static bool take_back(bw__m *m, bw__p *p) {
  if (!bw__p_unmark(p)) return false;
  bw__p_hold(m, p);
  return true;
}

void bw_blocking(void (*fn)(void *arg), void *arg) {
  bw__m *m = bw__m_current();
  if (!m || !m->cur || !bw__port_capabilities.threads) {
    fn(arg);
    return;
  }
  bw__g *g = m->cur;
  bw__p *p = m->p;
  bw__shared_store(&g->since, bw__load_relaxed(&bw__sched_state.coarse_now));
  bw__shared_store(&g->state, BW_G_BLOCKING);
  bw__trace_call_begin(m);
  leave(m, p);
  fn(arg);
  bw__m_set_current(m);
  bw__trace_call_end(m);
  if (take_back(m, p) || bw__p_take_idle(m)) {
    bw__shared_store(&g->state, BW_G_RUNNING);
    bw__trace_start(m, g);
    return;
  }
  m->after = BW_AFTER_LOST_P; // goes on when a P has time for it
  bw__ctx_suspend(g->ctx);
}
