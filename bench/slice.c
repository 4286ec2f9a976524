// Appending int64_t one by one to a slice that owns its array.
#include "bench.h"

static int64_t sink; // keeps the loops from being optimised away

static inline void push_numbers(bw_slice *s, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    int64_t value = i;
    if (bw_slice_push(s, sizeof value, &value, 1))
      bw_panic("no memory for %lld elements", (long long)n);
  }
}

// The best of five runs, each with a fresh array: of `n` elements at once, or none at first.
static void append_best5(int64_t n, bool prealloc) {
  int64_t best = INT64_MAX;
  for (int r = 0; r < 5; r++) {
    int64_t start = bw_now();
    bw_slice s = {0};
    if (prealloc) s = bw_slice_make(sizeof(int64_t), 0, (ptrdiff_t)n);
    push_numbers(&s, n);
    int64_t ns = bw_now() - start;
    if (ns < best) best = ns;
    sink += s.len;
    bw_slice_free(s);
  }
  bench_result(n, best);
}

// 10,000,000 appends to a nil slice, best of 5; op = one append.
BENCH(append10M_from_nil_best5) { append_best5(bench_count(10000000), false); }

// 10,000,000 appends to a slice made with that capacity, best of 5; op = one append, the making of
// the slice included.
BENCH(append10M_prealloc_best5) { append_best5(bench_count(10000000), true); }

// 1,000,000 slices, each nil at first and then appended to 10 times; op = one append. The time
// includes giving each array back.
BENCH(append10_small_per_append) {
  int64_t rounds = bench_count(1000000), start = bw_now();
  for (int64_t r = 0; r < rounds; r++) {
    bw_slice s = {0};
    push_numbers(&s, 10);
    sink += s.len;
    bw_slice_free(s);
  }
  bench_result(rounds * 10, bw_now() - start);
}
