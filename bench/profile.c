// What the heap profiler costs: a pair of malloc and free, off, on, and sampled each time.
#include "bench.h"

enum { PAIRS = 50000000, SIZE = 64 };

// The runner's machine may be busy: the best of five parts.
static void pairs(int64_t full) {
  int64_t n = bench_count(full / 5), best = INT64_MAX;
  for (int part = 0; part < 5; part++) {
    int64_t start = bw_now();
    for (int64_t i = 0; i < n; i++) {
      void *volatile p = bw_malloc(SIZE);
      bw_free(p);
    }
    int64_t ns = bw_now() - start;
    if (ns < best) best = ns;
  }
  bench_result(n, best);
}

static void pairs_with(size_t rate, int64_t full) {
  int code = bw_profile_heap_start(&(bw_profile_heap_options){.rate = rate, .seed = 1});
  if (code) bw_panic("bw_profile_heap_start: %s", bw_strerror(code));
  pairs(full);
  bw_profile_heap_stop();
}

// malloc(64) and free, no profile; op = a pair.
BENCH(profile_off_best5) { pairs(PAIRS); }

// The same with a profile at the default rate, one sample in 8192 pairs.
BENCH(profile_512K_best5) { pairs_with(BW_PROFILE_RATE, PAIRS); }

// The same with every pair sampled: the stack found, a span taken and given back.
BENCH(profile_all_best5) { pairs_with(1, PAIRS / 50); }
