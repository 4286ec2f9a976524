// Calls that block their thread: a system call, a C library's wait.
//
// The goroutine keeps its thread and gives up its P. Where there is a monitor thread, giving up is
// one store: the P stays with the thread for the time being, marked as blocking, and most calls
// are back before anybody has looked. The monitor takes the P away when the call takes long. Who
// wins is decided by one CAS of the P's status, from BLOCKING to HELD: by the thread on its way
// back, or by the monitor. Without a monitor the P is handed on at once.
//
// During the call the thread counts as a plain thread: whatever it does, it blocks no P.
#include "sched/runq.h"
#include "sched/trace.h"

static void leave(bw__m *m, bw__p *p) {
  m->p = NULL;
  bw__cache_use(NULL); // before the P can be another's: its cache goes with it
  bw__m_set_current(NULL);
  if (!bw__monitor_runs()) {
    bw__p_hand_on(p);
    return;
  }
  bw__tally_add(&p->blocks, 1);
  bw__store_release(&p->status, BW_P_BLOCKING); // pairs with the monitor's CAS
}

static bool take_back(bw__m *m, bw__p *p) {
  uint32_t status = BW_P_BLOCKING;
  if (!bw__monitor_runs() || !bw__cas(&p->status, &status, BW_P_HELD)) return false;
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
  bw__ctx_suspend(&g->ctx);
}
