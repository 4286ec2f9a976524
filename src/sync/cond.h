// What other rooms need of condition variables beyond <burrow/sync.h>.
#ifndef BURROW_SYNC_COND_H
#define BURROW_SYNC_COND_H

#include "sync/mutex.h"

#include <burrow/sync.h>

// As bw_cond_wait; gives up at `deadline` (BW_SEMA_NO_DEADLINE: never) or when `cancel` (may be
// NULL) is cancelled: 0, BW_ETIMEDOUT or BW_ECANCELED. The lock is the caller's again in any case.
// Blocks: G, or M on a plain thread.
int bw__cond_wait_with(bw_cond *c, int64_t deadline, bw__cancel_source *cancel);

// Whether a wait has begun, whoever waits, that nobody has ended. Blocks: never.
bool bw__cond_waited(bw_cond *c);

// One who waits: on the stack of the waiter, or in a ticket.
typedef struct {
  bw__sema_waiter
      s; // s.waiter.link is in the list, under the list's lock; in the mutex's queue, moved
  bw_cond *cond;
  uint32_t ticket;
  int result;    // WAITING, then how the wait ended: under the list's lock
  bool parked;   // so it must be readied: under the list's lock
  bool moved;    // to the mutex's queue: whoever took it off the list says so, before it wakes
  int64_t since; // when it was
} bw__cond_waiter;

// A wait without a stack, at a condition whose lock is a bw_mutex. `complete` is called once, on
// whatever thread, when the mutex was locked again, with 0 or, after a cancel, BW_ECANCELED; or
// without the mutex, with BW_ESTATE, when the ticket was given up altogether. It must not panic,
// park or take a lock of a rank below the semaphore table's.
typedef struct bw__cond_ticket {
  bw__cond_waiter w;
  bw__mutex_ticket m; // then
  int code;           // what complete will be told
  void (*complete)(struct bw__cond_ticket *t, int code);
} bw__cond_ticket;

void bw__cond_ticket_init(bw__cond_ticket *t, bw_cond *c,
                          void (*complete)(bw__cond_ticket *t, int code));
// BW_EAGAIN: it waits. BW_ESTATE: the mutex is not locked, and nothing was done. Blocks: never.
int bw__cond_wait_ticket(bw__cond_ticket *t);
// For the ticket's owner: ends the wait, if nobody has; it still comes with the mutex.
void bw__cond_cancel_ticket(bw__cond_ticket *t);
// For the ticket's owner: no mutex either. True: complete will not be called. False: it has been or
// will be in a moment, maybe by this call.
bool bw__cond_abandon_ticket(bw__cond_ticket *t);

#endif
