// What other rooms need of condition variables beyond <burrow/sync.h>.
#ifndef BURROW_SYNC_COND_H
#define BURROW_SYNC_COND_H

#include "sync/sema.h"

#include <burrow/sync.h>

// As bw_cond_wait; gives up at `deadline` (BW_SEMA_NO_DEADLINE: never) or when `cancel` (may be
// NULL) is cancelled: 0, BW_ETIMEDOUT or BW_ECANCELED. The lock is the caller's again in any case.
// Blocks: G, or M on a plain thread.
int bw__cond_wait_with(bw_cond *c, int64_t deadline, bw__cancel_source *cancel);

#endif
