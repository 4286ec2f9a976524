// bw_timer, which is of one of two kinds: it starts a goroutine (after.c), or it has a channel
// (comm/timer_chan.c, where the public functions are). The function that its bw__timer calls tells
// which.
#ifndef BURROW_SCHED_AFTER_H
#define BURROW_SCHED_AFTER_H

#include "sched/timers.h"

#include <burrow/time.h>

// How timers of both kinds begin.
struct bw_timer {
  bw__timer timer; // kept
};

// bw_timer_stop, _reset and _release for timers of bw_after_func. reset: there is a runtime.
bool bw__after_stop(bw_timer *t);
bool bw__after_reset(bw_timer *t, int64_t ns);
void bw__after_release(bw_timer *t);

#endif
