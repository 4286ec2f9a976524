// Goroutines that wait for file descriptors: the poller's side of the scheduler.
#ifndef BURROW_SCHED_POLL_H
#define BURROW_SCHED_POLL_H

#include "base/atomics.h"
#include "port/port.h"
#include "sched/park.h"

// Goroutines that wait. Added to by one that is about to park, on its M; taken from after the
// goroutine was readied.
extern _Atomic(int32_t) bw__poll_waits;

// Whether there is anything to poll for: the only cost for programs that have no use for it. Never
// on wasm, where thus nothing of poll.c is linked.
static inline bool bw__poll_wanted(void) { return !BW_WASM && bw__load(&bw__poll_waits) > 0; }

// A goroutine's wait, on its stack.
typedef struct bw__poll_wait {
  bw__waiter waiter;              // in the record's list: under its lock
  struct bw__poll_record *record; // r/o after begin, as the next three
  int fd;
  unsigned want;
  int64_t deadline;
  int result; // 0: not over yet. Under the record's lock
} bw__poll_wait;

// Prepares a wait for fd to be ready for one of `events`. False: the poller has no room.
bool bw__poll_begin(bw__poll_wait *p, int fd, unsigned events, int64_t deadline);
// Parks the goroutine until the wait is over, and returns for what fd is ready. BW_ETIMEDOUT,
// BW_ECLOSED; what bw__poll_stop said; BW_EINVAL: it is always ready; BW_ENOMEM: the poller cannot
// watch it. Blocks: G. Locks: file descriptor, timers, sched.
int bw__poll_park(bw__poll_wait *p);
// Ends a wait that was begun with `code`, unless it is over: whether it is parked already or not.
// Any thread, as long as *p lives. Blocks: M, briefly. Locks: file descriptor, sched.
void bw__poll_stop(bw__poll_wait *p, int code);
// Closes fd and wakes all who wait for it. 0 or a system's code. Blocks: M. Locks: as above.
int bw__poll_close_fd(int fd);

typedef struct {
  int count;
  bw__port_poll_event at[BW_POLL_MOST];
} bw__poll_batch;

// Waits for events, as bw__port_poll_wait.
void bw__poll_collect(bw__poll_batch *batch, int64_t until);
// Readies those who waited for them: the first one at the head of this thread's P, if it has one,
// without waking an M for it. Locks: file descriptor, sched.
void bw__poll_deliver(const bw__poll_batch *batch);
// Both, for what is ready already.
void bw__poll_now(void);
// How often anybody has polled.
uint64_t bw__poll_count(void);
// At tear-down. Goroutines that still wait are forgotten.
void bw__poll_end(void);

#endif
