// Small objects, random replacement: a window of 10,000 blocks of 8 to 1024 bytes, every size as
// often as the next. One operation frees a block at random and allocates another.
#include "bench.h"

enum { WINDOW = 10000 };

static uint32_t pick_size(bench_worker *w) { return 8 + bench_below(w, 1017); }

static void step(bench_worker *w, void *state, int64_t n) {
  block *blocks = state;
  for (; n > 0; n--) {
    block *b = &blocks[bench_below(w, WINDOW)];
    uint32_t size = pick_size(w);
    block_free(w, b);
    *b = block_make(w, size);
  }
}

BENCH(small, ON_MAIN) {
  block *blocks = bench_table(w, WINDOW, sizeof *blocks);
  for (int i = 0; i < WINDOW; i++) blocks[i] = block_make(w, pick_size(w));
  bench_churn(w, 20000000, step, blocks);
  block_free_all(w, blocks, WINDOW);
  bench_table_free(w, blocks, WINDOW, sizeof *blocks);
}
