// How much faster a pool of goroutines that only compute gets by more Ps.
#include "bench.h"

// A chain in which each step waits for the one before: it takes as long on each of two cores,
// even where they share their arithmetic units. The shift keeps compilers from doing several steps
// in one.
static uint64_t compute(int64_t steps, uint64_t x) {
  for (int64_t i = 0; i < steps; i++)
    x = (x ^ x >> 29) * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return x;
}

enum { POOL = 64, ROUNDS = 5, STEPS = 2000000 };

typedef struct {
  int64_t steps;
  bench_latch latch;
  _Atomic(int64_t) next;
  uint64_t out[POOL];
} cpu_work;

static void cpu_worker(void *arg) {
  cpu_work *w = arg;
  int64_t i = atomic_fetch_add(&w->next, 1);
  w->out[i] = compute(w->steps, (uint64_t)i);
  bench_latch_done(&w->latch);
}

// 64 goroutines share 128,000,000 steps of arithmetic and do not yield meanwhile; the best of five
// runs; op = one step. After a run on one P in the same process also how many times faster it is on
// more of them.
BENCH(cpu_pool) {
  static double alone; // ns per step on one P, 0 before it is known
  static cpu_work w;
  w = (cpu_work){.steps = bench_count(STEPS), .latch = bench_latch_make()};
  int64_t best = INT64_MAX;
  for (int round = 0; round < ROUNDS; round++) {
    atomic_store(&w.next, 0);
    bench_latch_add(&w.latch, POOL);
    int64_t start = bw_now();
    for (int i = 0; i < POOL; i++) bench_go(cpu_worker, &w);
    bench_latch_wait(&w.latch);
    int64_t ns = bw_now() - start;
    if (ns < best) best = ns;
  }
  for (int i = 0; i < POOL; i++)
    if (w.out[i] != compute(w.steps, (uint64_t)i)) bw_panic("wrong result of goroutine %d", i);
  bench_result(POOL * w.steps, best);
  double each = (double)best / (double)(POOL * w.steps);
  if (bw_procs() == 1)
    alone = each;
  else if (alone > 0)
    bench_value("cpu_pool_speedup", alone / each, "times");
}
