// BURROW_DEBUG=schedtrace=MS: the scheduler's state on stderr, a line every so often.
//
// The monitor prints it. Where there is none (wasi, which has one thread) an M does, when it goes
// to sleep and once in some sixty switches: so nothing is printed while a goroutine runs on and on,
// or while everything sleeps.
#ifndef BURROW_SCHED_SCHEDTRACE_H
#define BURROW_SCHED_SCHEDTRACE_H

#include "sched/env.h"
#include "sched/sched.h"

// Summaries printed so far, in all runs.
extern _Atomic(uint32_t) bw__schedtrace_lines;

// A runtime opens: time counts from here.
void bw__schedtrace_begin(void);
// Prints when it is time to. Any thread. Locks: sched.
void bw__schedtrace_look(int64_t now);

// For Ms. `now`: the clock, or 0.
static inline void bw__schedtrace_by_m(int64_t now) {
  if (BW_LIKELY(bw__env.schedtrace == 0) || bw__monitor_runs()) return;
  bw__schedtrace_look(now ? now : bw__port_now());
}

#endif
