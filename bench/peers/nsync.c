// nsync (github.com/google/nsync, Apache 2) as a peer: the loops of locks/ with its mutexes,
// conditions, counters and once, between plain threads.
//
// Not part of the build: it needs nsync's headers and library, which are not part of the project.
//
//   cmake -S NSYNC -B BUILD -DCMAKE_BUILD_TYPE=Release -DNSYNC_ENABLE_TESTS=OFF
//   cmake --build BUILD --target nsync
//   cc -O2 -I NSYNC/public bench/peers/nsync.c BUILD/libnsync.a -o nsync-peer -lpthread
#include "peer.h"

#include <nsync.h>

#include "../locks/threads.h"

typedef nsync_mu lk_mutex;
typedef nsync_mu lk_rwmutex;
typedef nsync_cv lk_cond;
#define LK_MUTEX   NSYNC_MU_INIT
#define LK_RWMUTEX NSYNC_MU_INIT
#define LK_COND(m) NSYNC_CV_INIT

#define lk_lock      nsync_mu_lock
#define lk_unlock    nsync_mu_unlock
#define lk_rlock     nsync_mu_rlock
#define lk_runlock   nsync_mu_runlock
#define lk_wlock     nsync_mu_lock
#define lk_wunlock   nsync_mu_unlock
#define lk_wait      nsync_cv_wait
#define lk_signal    nsync_cv_signal
#define lk_broadcast nsync_cv_broadcast
#define lk_crew      lk_threads
#define lk_sleep     lk_thread_sleep

#include "locks.h"

static void run_fair(void) {
  lk_mutex_fair("mutex_fair20us_g2", 2);
  lk_mutex_fair("mutex_fair20us_g16", 16);
  lk_mutex_hog("mutex_hog");
}

static void run_cond(void) {
  lk_cond_pingpong("cond_pingpong");
  lk_cond_barrier100("cond_barrier100");
}

static int64_t done_once;
static void count_once(void) { done_once++; }

// A counter must not rise again once it has been waited for, so `waitgroup_add_done_wait` has a new
// one each time, and stands for more than the name says.
static void run_waitgroup(void) {
  int64_t n = bench_count(20000000), left = 0;
  int64_t begin = bench_now();
  for (int64_t i = 0; i < n; i++) {
    nsync_counter c = nsync_counter_new(0);
    nsync_counter_add(c, 1);
    nsync_counter_add(c, -1);
    left += nsync_counter_wait(c, nsync_time_no_deadline);
    nsync_counter_free(c);
  }
  bench_check(left == 0, "waitgroup_add_done_wait");
  bench_result_as("waitgroup_add_done_wait", n, bench_now() - begin);

  static nsync_once once = NSYNC_ONCE_INIT;
  n = bench_count(100000000);
  begin = bench_now();
  for (int64_t i = 0; i < n; i++) nsync_run_once(&once, count_once);
  bench_check(done_once == 1, "once_done");
  bench_result_as("once_done", n, bench_now() - begin);
}

int main(int argc, char **argv) {
  static const peer_group groups[] = {
      {"mutex", run_mutex}, {"fair", run_fair},           {"rwmutex", run_rwmutex},
      {"cond", run_cond},   {"waitgroup", run_waitgroup},
  };
  return peer_run(argc, argv, groups, sizeof groups / sizeof groups[0]);
}
