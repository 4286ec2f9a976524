// The timers of all Ps, as the loop of an M wants them, the heap that a new timer goes into,
// and the clock that it is started by.
//
// An M runs the timers of its own P while it is busy, and everybody's when it looks for work.
//
// A heap outlives its P, and nobody looks at it as often as an owner does. So timers of a P that
// leaves move to the first one:
//
//   those in the heap then      by who makes it leave (bw__timers_adopt)
//   those in flight then        if they are started again during the flight they go back to where
//                               they were (timers.h): by their runner, after the flight (rescue)
//
// Against each other: a start stores the heap's next time, then its runner loads `procs`. Who makes
// a P leave stores `procs`, then loads the next time, and waits for the runner when there is one.
// All are sequentially consistent, so one of the two sees the other.
#include "sched/runq.h"
#include "sched/trace.h"

bw__timers *bw__timers_here(void) {
  bw__sched *s = &bw__sched_state;
  if (!s->running) return NULL;
  bw__m *m = bw__m_current();
  return m && m->p ? &m->p->timers : &bw__load_relaxed(&s->ps[0])->timers;
}

// A P's record is its owner's; on a plain thread, which has none, the real clock. On wasm there is
// only the one.
int64_t bw__timers_clock(void) {
  if (BW_WASM) return bw__port_now();
  bw__m *m = bw__m_current();
  return BW_LIKELY(m && m->p) ? bw__port_now_ahead(&m->p->clock) : bw__port_now();
}

// The first P comes last: timers move from others to it (bw__timers_adopt), and
// must not be missed on both sides.
int64_t bw__timers_next_of_all(void) {
  bw__sched *s = &bw__sched_state;
  bw__p *first = bw__load_acquire(&s->ps[0]);
  int64_t least = BW_NEVER;
  for (bw__p *p = bw__p_at(1); p; p = bw__p_after(p)) {
    int64_t next = bw__timers_next(&p->timers);
    if (next < least) least = next;
  }
  int64_t next = first ? bw__timers_next(&first->timers) : BW_NEVER;
  return next < least ? next : least;
}

static int64_t look_at_clock(void) {
  int64_t now = bw__port_now();
  bw__store_relaxed(&bw__sched_state.coarse_now, now);
  return now;
}

void bw__timers_run_own(bw__m *m) {
  bw__timers *ts = &m->p->timers;
  int64_t next = bw__timers_next(ts);
  if (next == BW_NEVER) return;
  int64_t now = look_at_clock();
  if (next > now) return;
  bw__timers_run_some(ts, now);
  bw__trace_timers(m, now);
}

// This thread has run timers of p.
static void rescue(bw__p *p) {
  bw__sched *s = &bw__sched_state;
  if (BW_LIKELY(p->index < bw__load(&s->procs))) return;
  bw__timers_move(&p->timers, &bw__load_relaxed(&s->ps[0])->timers);
}

static void run_all(bw__m *m, bool settle) {
  int64_t now = look_at_clock();
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) {
    bw__timers *ts = &p->timers;
    if (!(settle ? bw__timers_want_run(ts, now) : bw__timers_next(ts) <= now)) continue;
    do bw__timers_run_some(ts, now);
    while (settle && bw__runq_empty(m->p) && bw__timers_next(ts) <= now && !bw__load(&ts->running));
    rescue(p);
    bw__trace_timers(m, now);
  }
}

void bw__timers_run_all(bw__m *m) {
  BW_ASSERT(m->p);
  if (bw__timers_next_of_all() != BW_NEVER) run_all(m, false);
}

void bw__timers_settle(bw__m *m) {
  BW_ASSERT(m->p);
  run_all(m, true);
}

void bw__timers_adopt(void) {
  bw__sched *s = &bw__sched_state;
  bw__p *first = bw__load_relaxed(&s->ps[0]);
  for (bw__p *p = bw__p_at(1); p; p = bw__p_after(p)) {
    bool left =
        p->index >= bw__load_relaxed(&s->procs) && bw__load_relaxed(&p->status) == BW_P_IDLE;
    if (left && bw__timers_next(&p->timers) != BW_NEVER)
      bw__timers_move(&p->timers, &first->timers);
  }
}

void bw__timers_end(void) {
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) bw__timers_destroy(&p->timers);
}
