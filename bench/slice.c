// Appending int64_t one by one to a slice that owns its array, and sorting.
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

// The same as append10M_prealloc_best5 by the macros of typed slices; op = one append.
BENCH(append10M_typed_best5) {
  int64_t n = bench_count(10000000), best = INT64_MAX;
  for (int r = 0; r < 5; r++) {
    int64_t start = bw_now();
    BW_SLICE(int64_t) s = BW_SLICE_MAKE(int64_t, 0, (ptrdiff_t)n);
    for (int64_t i = 0; i < n; i++)
      if (bw_push(&s, i)) bw_panic("no memory for %lld elements", (long long)n);
    int64_t ns = bw_now() - start;
    if (ns < best) best = ns;
    sink += s.len;
    bw_free_slice(s);
  }
  bench_result(n, best);
}

BW_ORDER(ascending, int64_t, a, b, *a < *b);

enum { BY_NUMBER, BY_ORDER, STABLE };

// The best of three sorts of the same n scrambled numbers.
static void sort_best3(int how) {
  int64_t n = bench_count(1000000), best = INT64_MAX;
  BW_SLICE(int64_t) s = BW_SLICE_MAKE(int64_t, (ptrdiff_t)n, (ptrdiff_t)n);
  if (!bw_ok(s)) bw_panic("no memory for %lld elements", (long long)n);
  for (int r = 0; r < 3; r++) {
    uint64_t x = 88172645463325252u;
    BW_EACH(v, s) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      *v = (int64_t)x;
    }
    int64_t start = bw_now();
    if (how == BY_NUMBER)
      bw_sort(s);
    else if (how == BY_ORDER)
      bw_sort_by(s, ascending);
    else
      bw_sort_stable_by(s, ascending);
    int64_t ns = bw_now() - start;
    if (ns < best) best = ns;
  }
  sink += bw_at(s, 0);
  bw_free_slice(s);
  bench_result(n, best);
}

// Sorting 1,000,000 random int64_t, best of 3; op = one element.
BENCH(sort1M_numbers_best3) { sort_best3(BY_NUMBER); }
BENCH(sort1M_by_order_best3) { sort_best3(BY_ORDER); }
BENCH(sort1M_stable_best3) { sort_best3(STABLE); }
