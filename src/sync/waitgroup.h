// What other rooms need of wait groups beyond <burrow/sync.h>.
#ifndef BURROW_SYNC_WAITGROUP_H
#define BURROW_SYNC_WAITGROUP_H

#include "sync/sema.h"

#include <burrow/sync.h>

// Waits; gives up at `deadline` (BW_SEMA_NO_DEADLINE: never) or when `cancel` (may be NULL) is
// cancelled: 0, BW_ETIMEDOUT or BW_ECANCELED. Blocks: G, or M on a plain thread.
int bw__waitgroup_wait_with(bw_waitgroup *wg, int64_t deadline, bw__cancel_source *cancel);

// Whether there is a wait that has begun, whoever waits, and has not been let go.
bool bw__waitgroup_waited(bw_waitgroup *wg);

// A wait without a stack. `complete` is called once if bw__waitgroup_wait_ticket returned
// BW_EAGAIN, on whatever thread ends the wait; it must not panic, park or take a lock of a rank
// below the semaphore table's.
typedef struct bw__waitgroup_ticket {
  bw__sema_waiter w;
  bw_waitgroup *wg;
  void (*complete)(struct bw__waitgroup_ticket *t);
} bw__waitgroup_ticket;

void bw__waitgroup_ticket_init(bw__waitgroup_ticket *t, bw_waitgroup *wg,
                               void (*complete)(bw__waitgroup_ticket *t));
// 0: the counter is 0. BW_EAGAIN: it waits. Blocks: never.
int bw__waitgroup_wait_ticket(bw__waitgroup_ticket *t);
// For the ticket's owner. True: it does not wait any more, and complete will not be called. False:
// complete has been called or will be in a moment, maybe by this call.
bool bw__waitgroup_cancel_ticket(bw__waitgroup_ticket *t);

// As bw_waitgroup_add, for who must not panic: 0; BW_ERANGE: the counter would leave 0 to 2^31 - 1;
// BW_ESTATE: n > 0 while those who waited are being let go. Then nothing was changed.
int bw__waitgroup_try_add(bw_waitgroup *wg, int n);

#endif
