// What other rooms need of wait groups beyond <burrow/sync.h>.
#ifndef BURROW_SYNC_WAITGROUP_H
#define BURROW_SYNC_WAITGROUP_H

#include "sync/sema.h"

#include <burrow/sync.h>

// Waits; gives up at `deadline` (BW_SEMA_NO_DEADLINE: never) or when `cancel` (may be NULL) is
// cancelled: 0, BW_ETIMEDOUT or BW_ECANCELED. Blocks: G, or M on a plain thread.
int bw__waitgroup_wait_with(bw_waitgroup *wg, int64_t deadline, bw__cancel_source *cancel);

#endif
