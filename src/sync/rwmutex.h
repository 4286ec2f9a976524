// What other rooms need of read-write mutexes beyond <burrow/mutex.h>. As bw__mutex_lock_with.
#ifndef BURROW_SYNC_RWMUTEX_H
#define BURROW_SYNC_RWMUTEX_H

#include "sync/mutex.h"

int bw__rwmutex_rlock_with(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel);
int bw__rwmutex_lock_with(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel);

#endif
