// A server whose work moves between threads: each thread replaces random blocks, of 8 to 1000
// bytes, in an array of 5000; after each round of 100,000 operations it goes on with the next
// array, so that what it frees was allocated by another thread. One operation is one free and one
// malloc.
#include "bench.h"

enum { SLOTS = 5000, ROUND = 100000, SLICE = 1000, WARMUP_ROUNDS = 8, ARRAYS_MAX = 64 };

static block *arrays[ARRAYS_MAX]; // [i] is worker i's in round 0, and moves at the barriers

static __attribute__((noinline)) void replace(bench_worker *w, block *blocks, int n) {
  for (; n > 0; n--) {
    block *b = &blocks[bench_below(w, SLOTS)];
    uint32_t size = 8 + bench_below(w, 993);
    block_free(w, b);
    *b = block_make(w, size);
  }
}

static void run_round(bench_worker *w, int64_t round) {
  bench_barrier(w);
  block *blocks = arrays[(w->id + round) % w->threads];
  for (int done = 0; done < ROUND; done += SLICE) replace(w, blocks, SLICE);
}

BENCH(larson, ON_THREAD) {
  int64_t rounds = bench_count(80), round = 0;
  arrays[w->id] = bench_table(w, SLOTS, sizeof(block));
  while (round < WARMUP_ROUNDS && round < rounds) run_round(w, round++);
  bench_begin(w);
  for (int64_t i = 0; i < rounds; i++) run_round(w, round++);
  bench_end(w, rounds * ROUND);
  bench_barrier(w);
  block_free_all(w, arrays[w->id], SLOTS);
  bench_table_free(w, arrays[w->id], SLOTS, sizeof(block));
}
