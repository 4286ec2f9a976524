// The groups of locks that all peers run, with burrow-bench's numbers of operations. For one who
// has defined what the files of locks/ want.
#ifndef BURROW_PEER_LOCKS_H
#define BURROW_PEER_LOCKS_H

#include "../locks/mutex.h"
#include "../locks/rwmutex.h"
#include "../locks/cond.h"

static void run_mutex(void) {
  lk_mutex_g("mutex_g1", 1, 50000000);
  lk_mutex_g("mutex_g2", 2, 10000000);
  lk_mutex_g("mutex_g16", 16, 10000000);
  lk_mutex_work50("mutex_work50_g1", 1, 5000000);
  lk_mutex_work50("mutex_work50_g2", 2, 5000000);
  lk_mutex_work50("mutex_work50_g16", 16, 5000000);
}

static void run_rwmutex(void) {
  lk_rwmutex_uncont("rwmutex_r_uncont", false, 20000000);
  lk_rwmutex_uncont("rwmutex_w_uncont", true, 20000000);
  lk_rwmutex_g4("rwmutex_r_g4", 2000000, 0);
  lk_rwmutex_g4("rwmutex_w10pct_g4", 500000, 10);
}

#endif
