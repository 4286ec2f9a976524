// Stands in for src/sched/timers.h: what it promises about one kept timer that is started once. It
// may fire at any moment after its start; the drop takes it out for certain, or waits for `fn`.
#ifndef BURROW_SCHED_TIMERS_H
#define BURROW_SCHED_TIMERS_H

#include "base/config.h"

#define BW_NEVER INT64_MAX

typedef struct bw__timer {
  void (*fn)(struct bw__timer *t, int64_t now);
} bw__timer;

void bw__timer_init(bw__timer *t, void (*fn)(bw__timer *t, int64_t now));
bool bw__timer_start(bw__timer *t, int64_t when, int64_t period);
bool bw__timer_drop(bw__timer *t);

#endif
