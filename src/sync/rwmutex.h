// What other rooms need of read-write mutexes beyond <burrow/mutex.h>. As bw__mutex_lock_with.
#ifndef BURROW_SYNC_RWMUTEX_H
#define BURROW_SYNC_RWMUTEX_H

#include "sync/mutex.h"

int bw__rwmutex_rlock_with(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel);
int bw__rwmutex_lock_with(bw_rwmutex *rw, int64_t deadline, bw__cancel_source *cancel);

// A lock, for writing or reading, without a stack: as bw__mutex_ticket.
typedef struct bw__rwmutex_ticket {
  bw__mutex_ticket m; // a writer's: at `writers`
  bw__sema_waiter w;  // at the readers' semaphore, or the writer's
  bw_rwmutex *rw;
  bool writes;
  void (*complete)(struct bw__rwmutex_ticket *t, int code);
} bw__rwmutex_ticket;

void bw__rwmutex_ticket_init(bw__rwmutex_ticket *t, bw_rwmutex *rw, bool writes,
                             void (*complete)(bw__rwmutex_ticket *t, int code));
int bw__rwmutex_lock_ticket(bw__rwmutex_ticket *t);
bool bw__rwmutex_cancel_ticket(bw__rwmutex_ticket *t);

// Unlock. False: there is no writer inside, or no reader, which is no error here.
bool bw__rwmutex_try_unlock(bw_rwmutex *rw);
bool bw__rwmutex_try_runlock(bw_rwmutex *rw);

#endif
