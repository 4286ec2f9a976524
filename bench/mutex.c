// Mutexes between goroutines: how fast, and how fair.
#include "locks/burrow.h"

typedef bw_mutex lk_mutex;
typedef bw_rwmutex lk_rwmutex;
#define LK_MUTEX                                                                                   \
  { 0 }
#define LK_RWMUTEX                                                                                 \
  { 0 }

#define lk_lock    bw_mutex_lock
#define lk_unlock  bw_mutex_unlock
#define lk_rlock   bw_rwmutex_rlock
#define lk_runlock bw_rwmutex_runlock
#define lk_wlock   bw_rwmutex_lock
#define lk_wunlock bw_rwmutex_unlock
#define lk_crew    lk_goroutines
#define lk_sleep   bw_sleep

#include "locks/mutex.h"
#include "locks/rwmutex.h"

// Goroutines are not preempted: on one P a goroutine that never waits would run alone to its end.
static bool on_one_p(void) {
  if (bw_procs() == 1) bench_skip("needs two Ps, for goroutines are not preempted");
  return bw_procs() == 1;
}

// 50,000,000 or 10,000,000 times in all, by 1, 2 or 16 goroutines: lock, add one, unlock; op = one
// lock and unlock.
BENCH(mutex_g1) { lk_mutex_g("mutex_g1", 1, 50000000); }
BENCH(mutex_g2) { lk_mutex_g("mutex_g2", 2, 10000000); }
BENCH(mutex_g16) { lk_mutex_g("mutex_g16", 16, 10000000); }

// 5,000,000 times in all, with 50 steps of arithmetic within and 50 without.
BENCH(mutex_work50_g1) { lk_mutex_work50("mutex_work50_g1", 1, 5000000); }
BENCH(mutex_work50_g2) { lk_mutex_work50("mutex_work50_g2", 2, 5000000); }
BENCH(mutex_work50_g16) { lk_mutex_work50("mutex_work50_g16", 16, 5000000); }

// For two seconds 2 or 16 goroutines hold it for 20 us and lock it again at once.
BENCH(mutex_fair20us_g2) {
  if (!on_one_p()) lk_mutex_fair("mutex_fair20us_g2", 2);
}
BENCH(mutex_fair20us_g16) {
  if (!on_one_p()) lk_mutex_fair("mutex_fair20us_g16", 16);
}

// For two seconds one holds it for 100 us and locks it again at once, the other sleeps for 100 us
// between its turns.
BENCH(mutex_hog) {
  if (!on_one_p()) lk_mutex_hog("mutex_hog");
}

// 20,000,000 times lock and unlock by one goroutine; 2,000,000 times by each of four that read;
// 500,000 times by each of four of which every tenth is to write. op = one lock and unlock.
BENCH(rwmutex_r_uncont) { lk_rwmutex_uncont("rwmutex_r_uncont", false, 20000000); }
BENCH(rwmutex_w_uncont) { lk_rwmutex_uncont("rwmutex_w_uncont", true, 20000000); }
BENCH(rwmutex_r_g4) { lk_rwmutex_g4("rwmutex_r_g4", 2000000, 0); }
BENCH(rwmutex_w10pct_g4) { lk_rwmutex_g4("rwmutex_w10pct_g4", 500000, 10); }
