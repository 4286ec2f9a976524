// Deferred calls, panics and Goexit. The names are those of the Go programs beside which they are
// read; `_per_defer` says that an operation is one deferred call, else it is one call of the
// function that defers.
#include "bench.h"

static volatile int64_t sink;

static void incr(void *arg) {
  (void)arg;
  sink = sink + 1;
}

#define CALLED __attribute__((noinline)) static void

CALLED no_defer(void) { incr(NULL); }

CALLED open1(void) {
  BW_DEFER_SCOPE_FOR(1, 1);
  BW_DEFER(incr, NULL);
}

CALLED open8(void) {
  BW_DEFER_SCOPE_FOR(8, 1);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
}

CALLED stack9(void) { // nine: too many for open coding
  BW_DEFER_SCOPE_FOR(9, 1);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
  BW_DEFER(incr, NULL);
}

CALLED loop(int n) {
  BW_DEFER_SCOPE;
  for (int i = 0; i < n; i++) BW_DEFER(incr, NULL);
}

static void recover_it(void *arg, bw_panicking *panicking) {
  (void)arg;
  (void)bw_recover(panicking);
}

static int one = 1;

CALLED panic_and_recover(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(recover_it, NULL);
  bw_panic_value(&one, NULL);
}

// Calls f n times; `each` operations a call.
static void measure(void (*f)(void), int64_t full, int64_t each) {
  int64_t n = bench_count(full);
  sink = 0;
  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) f();
  int64_t ns = bw_now() - start;
  if (f != panic_and_recover && sink != n * each) bw_panic("%lld calls", (long long)sink);
  bench_result(n * each, ns);
}

BENCH(call_noinline) { measure(no_defer, 50000000, 1); }
BENCH(defer_open1) { measure(open1, 50000000, 1); }
BENCH(defer_open8_per_defer) { measure(open8, 10000000, 8); }
BENCH(defer_stack9_per_defer) { measure(stack9, 5000000, 9); }
BENCH(panic_recover) { measure(panic_and_recover, 2000000, 1); }

static void loop100(void) { loop(100); }
BENCH(defer_loop100_per_defer) { measure(loop100, 100000, 100); }

static void done(void *latch) { bench_latch_done(latch); }

static void ends_early(void *latch) {
  BW_DEFER_SCOPE_FOR(1, 1);
  BW_DEFER(done, latch);
  bw_goexit();
}

// A goroutine that ends by Goexit, with the join deferred.
BENCH(spawn_goexit_join) {
  int64_t n = bench_count(500000);
  bench_latch latch = bench_latch_make();
  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) {
    bench_latch_add(&latch, 1);
    bench_go(ends_early, &latch);
    bench_latch_wait(&latch);
  }
  bench_result(n, bw_now() - start);
}
