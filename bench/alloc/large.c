// Large blocks: 64 KiB to 8 MiB, each power of two as often as the next. One operation replaces a
// random one of 24 and writes a byte of every page.
#include "bench.h"

enum { WINDOW = 24 };

static void step(bench_worker *w, void *state, int64_t n) {
  block *blocks = state;
  for (; n > 0; n--) {
    block *b = &blocks[bench_below(w, WINDOW)];
    uint32_t size = bench_log_uniform(w, 16, 23);
    block_free(w, b);
    *b = block_make(w, size);
  }
}

BENCH(large, ON_MAIN) {
  block *blocks = bench_table(w, WINDOW, sizeof *blocks);
  bench_churn(w, 4000, step, blocks);
  block_free_all(w, blocks, WINDOW);
  bench_table_free(w, blocks, WINDOW, sizeof *blocks);
}
