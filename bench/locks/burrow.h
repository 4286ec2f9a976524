// What the lock's loops (mutex.h) ask for beside the lock, within burrow-bench: the clock, the
// check, and two crews.
#ifndef BURROW_BENCH_LOCKS_BURROW_H
#define BURROW_BENCH_LOCKS_BURROW_H

#include "../bench.h"
#include "port/port.h"

static inline int64_t bench_now(void) { return bw_now(); }

static inline void bench_check(bool right, const char *what) {
  if (!right) bw_panic("wrong: %s", what);
}

#include "threads.h"

typedef struct {
  int n;
  void (*work)(void *arg, int me);
  void *arg;
  int64_t ns;
  _Atomic(int) next;
  bench_latch latch;
} lk_task;

// ---- goroutines ---------------------------------------------------------------------------------

static void lk_goroutine(void *arg) {
  lk_task *t = arg;
  t->work(t->arg, atomic_fetch_add(&t->next, 1));
  bench_latch_done(&t->latch);
}

// lk_crew by goroutines; from before the first is started, as in Go.
static inline int64_t lk_goroutines(int n, void (*work)(void *arg, int me), void *arg) {
  lk_task t = {.work = work, .arg = arg, .latch = bench_latch_make()};
  bench_latch_add(&t.latch, n);
  int64_t begin = bw_now();
  for (int i = 0; i < n; i++) bench_go(lk_goroutine, &t);
  bench_latch_wait(&t.latch);
  return bw_now() - begin;
}

// ---- plain threads ------------------------------------------------------------------------------

static void lk_run_threads(void *arg) {
  lk_task *t = arg;
  t->ns = lk_threads(t->n, t->work, t->arg);
}

// lk_crew by plain threads, while the goroutine waits.
static inline int64_t lk_plain_threads(int n, void (*work)(void *arg, int me), void *arg) {
  lk_task t = {.n = n, .work = work, .arg = arg};
  bw_blocking(lk_run_threads, &t);
  return t.ns;
}

// True, and says so, where there is one thread only.
static inline bool lk_no_threads(void) {
  if (!bw__port_capabilities.threads) bench_skip("there is one thread only");
  return !bw__port_capabilities.threads;
}

#endif
