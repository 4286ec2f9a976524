// What the rooms of the timers share: a heap of timers from the inside. All under its lock.
#ifndef BURROW_SCHED_TIMERS_HEAP_H
#define BURROW_SCHED_TIMERS_HEAP_H

#include "sched/timers.h"

// Locks `ts`, whose memory may have been grown by another thread. Blocks: M. Locks: timers.
void bw__timers_lock(bw__timers *ts);

// Puts a timer that is in no heap into this one: sets its home, slot and key. Never fails: without
// memory it goes to the spill list.
void bw__timers_put_locked(bw__timers *ts, bw__timer *t, int64_t key);

// Takes the timer out. Its `when` is the caller's affair.
void bw__timers_take_locked(bw__timers *ts, bw__timer *t);

// Moves what is on the spill list into the array, as far as there is room or memory for it.
void bw__timers_unspill_locked(bw__timers *ts);

// Removes all that are STOPPED and gives the others their true keys.
void bw__timers_clean_locked(bw__timers *ts);

// A key for a timer whose entry is about to be changed: its `when`, or less. Also sets t->key. (R1
// and R2 of timers.h.)
int64_t bw__timers_new_key(bw__timer *t, int64_t when);

// Writes `next` anew.
void bw__timers_publish_locked(bw__timers *ts);

// Many are stopped: more than a quarter.
static inline bool bw__timers_littered_locked(const bw__timers *ts) {
  return (int64_t)bw__load_relaxed(&ts->stopped) * 4 > (int64_t)ts->heap.len;
}

static inline void bw__timers_uncount_stopped(bw__timers *ts) {
  if (bw__load_relaxed(&ts->stopped) > 0) bw__count_own(&ts->stopped, -1);
}

#endif
