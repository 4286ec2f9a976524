// The forms of burrow/mutex.h while locks are watched. Each first tries, so that the watch knows
// whether there was need to wait.
#include "port/port.h"
#include "sync/lockwatch.h"
#include "sync/mutex.h"
#include "sync/rwmutex.h"

static bw__lock_kind kind_of(int form) {
  if (form == BW__LOCK_MUTEX) return BW_LOCK_MUTEX;
  return form == BW__LOCK_SPIN ? BW_LOCK_SPIN : BW_LOCK_RWMUTEX;
}

static bool try(void *lock, int form) {
  switch (form) {
  case BW__LOCK_MUTEX: return bw_mutex_trylock(lock);
  case BW__LOCK_READ: return bw_rwmutex_try_rlock(lock);
  case BW__LOCK_WRITE: return bw_rwmutex_try_lock(lock);
  default: return bw_spin_trylock(lock);
  }
}

static int wait(void *lock, int form, int64_t deadline, bw__cancel_source *cancel) {
  int64_t until = deadline == INT64_MAX ? BW_SEMA_NO_DEADLINE : bw__sync_deadline(deadline);
  switch (form) {
  case BW__LOCK_MUTEX: return bw__mutex_lock_with(lock, until, cancel);
  case BW__LOCK_READ: return bw__rwmutex_rlock_with(lock, until, cancel);
  case BW__LOCK_WRITE: return bw__rwmutex_lock_with(lock, until, cancel);
  default: bw_spin_lock(lock); return 0;
  }
}

int bw__watched_lock_with(void *lock, int form, int64_t deadline, bw__cancel_source *cancel,
                          const char *place) {
  bw__lock_wanted(lock, kind_of(form), place);
  int64_t began = -1;
  int code = 0;
  if (!try(lock, form)) {
    began = bw__port_now();
    code = wait(lock, form, deadline, cancel);
  }
  int64_t waited = began < 0 ? -1 : bw__port_now() - began;
  if (code == 0) bw__lock_got(lock, kind_of(form), form == BW__LOCK_READ, place, waited);
  return code;
}

int bw__watched_lock(void *lock, int form, int64_t deadline, const char *place) {
  return bw__watched_lock_with(lock, form, deadline, NULL, place);
}

bool bw__watched_trylock(void *lock, int form, const char *place) {
  if (!try(lock, form)) return false;
  bw__lock_got(lock, kind_of(form), form == BW__LOCK_READ, place, -1);
  return true;
}

void bw__watched_unlock(void *lock, int form) { bw__lock_gave(lock, form == BW__LOCK_READ); }
