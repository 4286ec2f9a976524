// Locks as lockers. They tell the watch (burrow/locks.h), in which the place of all who come here
// is the same.
#include <burrow/mutex.h>

static void mutex_lock(void *mu) { bw__mutex_lock_at(mu, "bw_mutex_locker"); }
static void mutex_unlock(void *mu) { bw__mutex_unlock_watched(mu); }

bw_locker bw_mutex_locker(bw_mutex *mu) { return (bw_locker){mutex_lock, mutex_unlock, mu}; }

static void write_lock(void *rw) { bw__rwmutex_lock_at(rw, "bw_rwmutex_locker"); }
static void write_unlock(void *rw) { bw__rwmutex_unlock_watched(rw); }

bw_locker bw_rwmutex_locker(bw_rwmutex *rw) { return (bw_locker){write_lock, write_unlock, rw}; }

static void read_lock(void *rw) { bw__rwmutex_rlock_at(rw, "bw_rwmutex_rlocker"); }
static void read_unlock(void *rw) { bw__rwmutex_runlock_watched(rw); }

bw_locker bw_rwmutex_rlocker(bw_rwmutex *rw) { return (bw_locker){read_lock, read_unlock, rw}; }
