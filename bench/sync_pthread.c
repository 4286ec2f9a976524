// The C library's mutexes and conditions between plain threads: the peer that is everywhere. The
// number of Ps says nothing here.
#include "locks/burrow.h"

typedef pthread_mutex_t lk_mutex;
typedef pthread_rwlock_t lk_rwmutex;
typedef pthread_cond_t lk_cond;
#define LK_MUTEX   PTHREAD_MUTEX_INITIALIZER
#define LK_RWMUTEX PTHREAD_RWLOCK_INITIALIZER
#define LK_COND(m) PTHREAD_COND_INITIALIZER

#define lk_lock         pthread_mutex_lock
#define lk_unlock       pthread_mutex_unlock
#define lk_rlock        pthread_rwlock_rdlock
#define lk_runlock      pthread_rwlock_unlock
#define lk_wlock        pthread_rwlock_wrlock
#define lk_wunlock      pthread_rwlock_unlock
#define lk_wait(c, m)   pthread_cond_wait(c, m)
#define lk_signal(c)    pthread_cond_signal(c)
#define lk_broadcast(c) pthread_cond_broadcast(c)
#define lk_crew         lk_plain_threads
#define lk_sleep        lk_thread_sleep

#include "locks/mutex.h"
#include "locks/rwmutex.h"
#include "locks/cond.h"

#define THREADS_BENCH(fn, ...)                                                                     \
  BENCH(fn) {                                                                                      \
    if (!lk_no_threads()) __VA_ARGS__;                                                             \
  }

THREADS_BENCH(pthread_mutex_g1, lk_mutex_g("pthread_mutex_g1", 1, 50000000))
THREADS_BENCH(pthread_mutex_g2, lk_mutex_g("pthread_mutex_g2", 2, 10000000))
THREADS_BENCH(pthread_mutex_g16, lk_mutex_g("pthread_mutex_g16", 16, 10000000))
THREADS_BENCH(pthread_mutex_work50_g1, lk_mutex_work50("pthread_mutex_work50_g1", 1, 5000000))
THREADS_BENCH(pthread_mutex_work50_g2, lk_mutex_work50("pthread_mutex_work50_g2", 2, 5000000))
THREADS_BENCH(pthread_mutex_work50_g16, lk_mutex_work50("pthread_mutex_work50_g16", 16, 5000000))
THREADS_BENCH(pthread_mutex_fair20us_g2, lk_mutex_fair("pthread_mutex_fair20us_g2", 2))
THREADS_BENCH(pthread_mutex_fair20us_g16, lk_mutex_fair("pthread_mutex_fair20us_g16", 16))
THREADS_BENCH(pthread_mutex_hog, lk_mutex_hog("pthread_mutex_hog"))
THREADS_BENCH(pthread_rwmutex_r_uncont,
              lk_rwmutex_uncont("pthread_rwmutex_r_uncont", false, 20000000))
THREADS_BENCH(pthread_rwmutex_w_uncont,
              lk_rwmutex_uncont("pthread_rwmutex_w_uncont", true, 20000000))
THREADS_BENCH(pthread_rwmutex_r_g4, lk_rwmutex_g4("pthread_rwmutex_r_g4", 2000000, 0))
THREADS_BENCH(pthread_rwmutex_w10pct_g4, lk_rwmutex_g4("pthread_rwmutex_w10pct_g4", 500000, 10))
THREADS_BENCH(pthread_cond_pingpong, lk_cond_pingpong("pthread_cond_pingpong"))

BENCH(pthread_cond_barrier100) {
  if (lk_no_threads()) return;
  if (!bw__port_capabilities.monitors)
    bench_skip("a hundred threads cost too much here");
  else
    lk_cond_barrier100("pthread_cond_barrier100");
}
