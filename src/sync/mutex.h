// What other rooms need of mutexes beyond <burrow/mutex.h>.
#ifndef BURROW_SYNC_MUTEX_H
#define BURROW_SYNC_MUTEX_H

#include "sync/sema.h"

#include <burrow/mutex.h>

// Locks; gives up at `deadline` (BW_SEMA_NO_DEADLINE: never) or when `cancel` (may be NULL) is
// cancelled: 0, BW_ETIMEDOUT or BW_ECANCELED. Blocks: G, or M on a plain thread.
int bw__mutex_lock_with(bw_mutex *mu, int64_t deadline, bw__cancel_source *cancel);

// The same for a mutex inside of something else: dumps say that the goroutine waits for that.
int bw__mutex_lock_inside(bw_mutex *mu, bw__reason reason, const void *object, int64_t deadline,
                          bw__cancel_source *cancel);

// As bw_mutex_unlock, but it never switches: for who holds a thread's lock.
void bw__mutex_unlock_staying_contended(bw_mutex *mu, int32_t state);
static inline void bw__mutex_unlock_staying(bw_mutex *mu) {
  int32_t state = __atomic_sub_fetch(&mu->state, 1, __ATOMIC_RELEASE);
  if (BW_UNLIKELY(state != 0)) bw__mutex_unlock_staying_contended(mu, state);
}

// How often a mutex, any, has begun and ended to be in starvation mode. Any thread.
typedef struct {
  uint64_t begun, ended;
} bw__mutex_starvations;
bw__mutex_starvations bw__mutex_starvations_read(void);

// Deadlines of the public forms, where every negative time is long past.
static inline int64_t bw__sync_deadline(int64_t deadline) { return deadline < 0 ? 0 : deadline; }

#endif
