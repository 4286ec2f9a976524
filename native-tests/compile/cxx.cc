// The headers in C++: they compile without a warning, and their inline functions can be called. What
// needs C's own means (typed channels, scopes of deferred calls, BW_SELECT) is not declared there.
#include <burrow/burrow.h>

int run(void *arg);

BW_CONTEXT_KEY(user, int);

static int wait_for_one(bw_chan *a, bw_chan *b) {
  int v = 0;
  bool ok = false;
  const bw_case cases[] = {bw_on_recv(a, &v), bw_on_recv_ok(b, &v, &ok), bw_on_send(b, &v)};
  return bw_select(cases, sizeof cases / sizeof *cases);
}

static bool lock_and_unlock(bw_mutex *mu, bw_rwmutex *rw, bw_spinlock *s, bw_sema *sema) {
  bw_mutex_lock(mu);
  bw_rwmutex_rlock(rw);
  bw_spin_lock(s);
  bool got = bw_sema_try_acquire(sema) && !bw_spin_trylock(s);
  bw_spin_unlock(s);
  bw_rwmutex_runlock(rw);
  bw_mutex_unlock(mu);
  bw_locker l = bw_mutex_locker(mu);
  bw_locker_lock(l);
  bw_locker_unlock(l);
  return got;
}

int run(void *arg) {
  bw_mutex mu = {};
  bw_rwmutex rw = {};
  bw_spinlock spin = {};
  bw_sema sema = BW_SEMA(1);
  if (!lock_and_unlock(&mu, &rw, &spin, &sema)) return 1;
  bw_chan *c = static_cast<bw_chan *>(arg);
  if (!c) bw_panic("no channel");
  return wait_for_one(c, nullptr) == BW_OK ? 0 : 1;
}
