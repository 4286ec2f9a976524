// Conditions, wait groups and once, between goroutines.
#include "locks/burrow.h"

typedef bw_mutex lk_mutex;
typedef bw_cond lk_cond;
#define LK_MUTEX                                                                                   \
  { 0 }
#define LK_COND(m) BW_COND(m)

#define lk_lock       bw_mutex_lock
#define lk_unlock     bw_mutex_unlock
#define lk_wait(c, m) bw_cond_wait(c)
#define lk_signal     bw_cond_signal
#define lk_broadcast  bw_cond_broadcast
#define lk_crew       lk_goroutines

#include "locks/cond.h"

BENCH(cond_pingpong) { lk_cond_pingpong("cond_pingpong"); }
BENCH(cond_barrier100) { lk_cond_barrier100("cond_barrier100"); }

// ---- wait groups and once
// -----------------------------------------------------------------------

// 20,000,000 times by one goroutine; op = one add, one done and one wait.
BENCH(waitgroup_add_done_wait) {
  static bw_waitgroup wg;
  int64_t n = bench_count(20000000), start = bw_now();
  for (int64_t i = 0; i < n; i++) {
    bw_waitgroup_add(&wg, 1);
    bw_waitgroup_done(&wg);
    bw_waitgroup_wait(&wg);
  }
  bench_result(n, bw_now() - start);
}

static void count_one(void *arg) { ++*(int64_t *)arg; }

// 100,000,000 times, all but the first of which find it done; op = one call.
BENCH(once_done) {
  bw_once once = {0};
  int64_t n = bench_count(100000000), calls = 0, start = bw_now();
  for (int64_t i = 0; i < n; i++) bw_once_do(&once, count_one, &calls);
  int64_t ns = bw_now() - start;
  bench_check(calls == 1, "once_done");
  bench_result(n, ns);
}
