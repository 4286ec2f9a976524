// Switching, starting and joining goroutines.
#include "bench.h"

typedef struct {
  int64_t rounds;
  bench_latch *latch;
} yielding;

static void yield_many(void *arg) {
  yielding *y = arg;
  for (int64_t i = 0; i < y->rounds; i++) bw_gosched();
  bench_latch_done(y->latch);
}

static void yield_by(int64_t goroutines, int64_t rounds) {
  bench_latch latch = bench_latch_make();
  yielding y = {rounds, &latch};
  bench_latch_add(&latch, goroutines);
  int64_t start = bw_now();
  for (int64_t i = 0; i < goroutines; i++) bench_go(yield_many, &y);
  bench_latch_wait(&latch);
  bench_result(goroutines * rounds, bw_now() - start);
}

// Two goroutines yield in turn, 5,000,000 times each; op = one bw_gosched.
BENCH(gosched) { yield_by(2, bench_count(5000000)); }

// 1000 goroutines yield 5000 times each; op = one bw_gosched.
BENCH(gosched1k) { yield_by(1000, bench_count(5000)); }

static void only_done(void *latch) { bench_latch_done(latch); }

// 100 rounds of 10,000 goroutines that do nothing, started one after another and joined together;
// op = one goroutine.
BENCH(spawn_join_b10k) {
  enum { BATCH = 10000 };
  int64_t rounds = bench_count(100);
  bench_latch latch = bench_latch_make();
  int64_t start = bw_now();
  for (int64_t r = 0; r < rounds; r++) {
    bench_latch_add(&latch, BATCH);
    for (int i = 0; i < BATCH; i++) bench_go(only_done, &latch);
    bench_latch_wait(&latch);
  }
  bench_result(rounds * BATCH, bw_now() - start);
}

// 1,000,000 times: start one goroutine that does nothing and join it; op = one goroutine.
BENCH(spawn_join_1) {
  int64_t n = bench_count(1000000);
  bench_latch latch = bench_latch_make();
  int64_t start = bw_now();
  for (int64_t i = 0; i < n; i++) {
    bench_latch_add(&latch, 1);
    bench_go(only_done, &latch);
    bench_latch_wait(&latch);
  }
  bench_result(n, bw_now() - start);
}
