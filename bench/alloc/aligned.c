// Aligned blocks: 16 to 4096, each power of two as often as the next; of ten blocks nine have 16
// bytes to 1 KiB and one up to 32 KiB. One operation replaces a random one of 4000, half of them by
// posix_memalign and half by aligned_alloc.
#include "bench.h"

enum { WINDOW = 4000 };

static void *get(bench_worker *w, size_t align, size_t n) {
  void *p = NULL;
  if (bench_random(w) >> 63)
    p = aligned_alloc(align, (n + align - 1) & ~(align - 1));
  else if (posix_memalign(&p, align, n))
    p = NULL;
  if ((uintptr_t)p & (align - 1)) bench_corrupt("alignment", p, align);
  return p;
}

static void step(bench_worker *w, void *state, int64_t n) {
  block *blocks = state;
  for (; n > 0; n--) {
    block *b = &blocks[bench_below(w, WINDOW)];
    uint32_t size = bench_below(w, 10) ? bench_log_uniform(w, 4, 10) : bench_log_uniform(w, 10, 15);
    block_free(w, b);
    *b = block_of(w, get(w, (size_t)16 << bench_below(w, 9), size), size);
  }
}

BENCH(aligned, ON_MAIN) {
  block *blocks = bench_table(w, WINDOW, sizeof *blocks);
  bench_churn(w, 4000000, step, blocks);
  block_free_all(w, blocks, WINDOW);
  bench_table_free(w, blocks, WINDOW, sizeof *blocks);
}
