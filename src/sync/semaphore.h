// What other rooms need of semaphores beyond <burrow/mutex.h>. As bw__mutex_lock_with.
#ifndef BURROW_SYNC_SEMAPHORE_H
#define BURROW_SYNC_SEMAPHORE_H

#include "sync/sema.h"

#include <burrow/mutex.h>

int bw__semaphore_acquire_with(bw_sema *s, int64_t deadline, bw__cancel_source *cancel);

#endif
