// Stands in for src/lock/mutex.h under channels: a lock that is taken in one step and blocks who
// comes second. (lock.c looks at the real one.)
#ifndef BURROW_LOCK_MUTEX_H
#define BURROW_LOCK_MUTEX_H

#include "base/atomics.h"
#include "lock/rank.h"

typedef struct {
  uint32_t unused;
  uint32_t rank;
} bw__mutex;

static inline void bw__mutex_init(bw__mutex *mu, bw__rank rank) { mu->rank = rank; }

void world_lock(bw__mutex *mu, const char *func, int line);
void world_unlock(bw__mutex *mu, const char *func, int line);

#define bw__mutex_lock(mu)         world_lock((mu), __func__, __LINE__)
#define bw__mutex_lock_patient(mu) world_lock((mu), __func__, __LINE__)
#define bw__mutex_unlock(mu)       world_unlock((mu), __func__, __LINE__)

#endif
