// The timers of all Ps, as the loop of an M wants them, and the two hooks that timers want.
#include "sched/sched.h"

bw__timers *bw__timers_here(void) {
  bw__m *m = bw__m_current();
  if (m) return &m->p->timers;
  return bw__sched_state.ps ? &bw__sched_state.ps[0].timers : NULL;
}

// Kick and going idle both happen under sched.lock: either the M that goes idle reads the new time,
// or the kick finds it on the idle list.
void bw__timers_earlier(int64_t when) {
  (void)when;
  bw__sched_kick();
}

int64_t bw__sched_next_timer(void) {
  bw__sched *s = &bw__sched_state;
  int64_t least = BW_NEVER;
  for (int i = 0; i < s->procs; i++) {
    int64_t next = bw__timers_next(&s->ps[i].timers);
    if (next < least) least = next;
  }
  return least;
}

void bw__sched_run_timers(bool settle) {
  bw__sched *s = &bw__sched_state;
  if (!settle && bw__sched_next_timer() == BW_NEVER) return;
  int64_t now = bw__port_now();
  for (int i = 0; i < s->procs; i++) {
    bw__timers *ts = &s->ps[i].timers;
    if (settle ? bw__timers_want_run(ts, now) : bw__timers_next(ts) <= now) bw__timers_run(ts, now);
  }
}
