// Ends of a wait before its time: a deadline, a cancel. The waits of the semaphore table and of
// condition variables have them; each knows itself how a wait in its queue is ended.
//
// A timer's and a canceller's call end the wait, if nobody else has, and ready the waiter. The
// record lies on the waiter's stack, and stays until the timer was dropped and the watch was ended.
#ifndef BURROW_SYNC_LIMITS_H
#define BURROW_SYNC_LIMITS_H

#include "sched/parking.h"
#include "sched/timers.h"
#include "sync/cancel.h"
#include "sync/sema.h"

typedef struct bw__limits {
  bw__waiter *waiter;
  // Ends the wait with `result`, if it has none, and takes it off its queue. True: it is the
  // caller's to ready. Blocks: M, for the queue's lock.
  bool (*end)(bw__waiter *w, int result);
  int64_t deadline;          // BW_SEMA_NO_DEADLINE: none
  bw__timer timer;           // kept; of a goroutine with a deadline
  bw__cancel_source *cancel; // NULL: none
  bw__cancel_watcher watch;  // with `cancel`
} bw__limits;

static BW_INLINE void bw__limits_init(bw__limits *l, bw__waiter *w,
                                      bool (*end)(bw__waiter *w, int result), int64_t deadline,
                                      bw__cancel_source *cancel) {
  l->waiter = w;
  l->end = end;
  l->deadline = deadline;
  l->cancel = cancel;
}

// Before the wait is in its queue: from now on `end` may be called by a canceller, so whether the
// wait has a result is looked at under the queue's lock. False: it is cancelled already, and
// nothing was done.
bool bw__limits_begin(bw__limits *l);
// The wait is over, and off its queue.
void bw__limits_end(bw__limits *l);
// In `abandon`, when it is off its queue.
void bw__limits_abandon(bw__limits *l);

void bw__limits_expired(bw__timer *t, int64_t now);
// A plain thread waits; `held` is the queue's lock, which it lets go.
void bw__limits_wait_thread(bw__limits *l, bw__mutex *held);

// Waits, in the queue; `m` is what bw__waiter_init_here has returned. A goroutine's timer cannot
// come before the park, for that unlocks the queue.
static BW_INLINE void bw__limits_wait(bw__limits *l, bw__m *m, bw__mutex *held, bw__reason reason) {
  if (!m) {
    bw__limits_wait_thread(l, held);
    return;
  }
  bool timed = l->deadline != BW_SEMA_NO_DEADLINE;
  if (timed) {
    bw__timer_init(&l->timer, bw__limits_expired);
    bw__timer_start(&l->timer, l->deadline, 0);
  }
  if (l->cancel) m->cur->choosing = l->waiter;
  bw__park(m, l->waiter, held, reason);
  if (timed) bw__timer_drop(&l->timer);
}

#endif
