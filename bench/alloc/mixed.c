// All sizes at once: of 100 blocks 90 have 8 bytes to 1 KiB, 9 up to 64 KiB, one up to 2 MiB. One
// operation takes a random one of 4000 and replaces it, or one time in ten reallocs it. Every
// 500,000 operations all are freed: the memory must be good for the sizes that come next.
#include "bench.h"

enum { WINDOW = 4000, PHASE = 500000 };

struct window {
  block *blocks;
  int64_t done;
};

static uint32_t pick_size(bench_worker *w) {
  uint32_t percent = bench_below(w, 100);
  if (percent < 90) return bench_log_uniform(w, 3, 10);
  return percent < 99 ? bench_log_uniform(w, 10, 16) : bench_log_uniform(w, 16, 21);
}

static void resize(bench_worker *w, block *b, uint32_t n) {
  block_check(b);
  uint32_t old = b->n;
  b->p = realloc(b->p, n);
  if (!b->p) bench_no_memory(n);
  if (b->p[0] != b->tag) bench_corrupt("block after realloc", b->p, n);
  b->n = n;
  block_touch(b, old);
  bench_live_add(w, (int64_t)n - old);
}

static void step(bench_worker *w, void *state, int64_t n) {
  struct window *s = state;
  for (; n > 0; n--) {
    if (++s->done % PHASE == 0) block_free_all(w, s->blocks, WINDOW);
    block *b = &s->blocks[bench_below(w, WINDOW)];
    uint32_t size = pick_size(w);
    if (b->p && bench_below(w, 10) == 0) {
      resize(w, b, size);
    } else {
      block_free(w, b);
      *b = block_make(w, size);
    }
  }
}

BENCH(mixed, ON_MAIN) {
  struct window s = {.blocks = bench_table(w, WINDOW, sizeof(block))};
  bench_churn(w, 4000000, step, &s);
  block_free_all(w, s.blocks, WINDOW);
  bench_table_free(w, s.blocks, WINDOW, sizeof(block));
}
