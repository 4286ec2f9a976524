// Fragmentation over time: what is live swells and shrinks while sizes and lifetimes change, so
// that a few old blocks lie between all that comes and goes. Each phase brings the live bytes to
// its share of 48 MiB, then replaces blocks. Those that die are mostly young ones, more or less so
// by phase. The last phase is small: memory at the end over what is live then says how much of what
// was freed came back. One operation is one malloc and, in the end, its free.
#include "bench.h"

enum { LIVE = 48 * MIB, SLOTS = 1 << 19, REPLACED = 200000, SLICE = 1000 };

typedef struct phase {
  uint32_t from, to; // sizes: 2^from up to 2^to
  int live;          // percent of LIVE
  uint32_t young;    // of 100 blocks that die, so many are of the newest eighth
} phase;

static const phase phases[] = {
    {5, 8, 100, 95},  {5, 8, 25, 50},    // many small objects
    {6, 10, 100, 90}, {6, 10, 20, 20},   // larger ones, long lives
    {8, 13, 100, 95}, {8, 13, 25, 80},   // buffers
    {5, 8, 60, 50},   {12, 17, 100, 90}, // small beside very large
    {12, 17, 15, 50}, {5, 10, 100, 80},  // small again, where the large were
    {5, 17, 60, 90},  {5, 12, 20, 50},   // everything, then little
};
enum { PHASES = sizeof phases / sizeof *phases };

struct heap {
  block *blocks; // the newest last, near enough
  uint32_t count;
  uint32_t slots;
  int64_t bytes, made;
};

static void add(bench_worker *w, struct heap *h, const phase *p) {
  block b = block_make(w, bench_log_uniform(w, p->from, p->to));
  h->bytes += b.n;
  h->made++;
  h->blocks[h->count++] = b;
}

static void drop(bench_worker *w, struct heap *h, const phase *p) {
  uint32_t newest = h->count / 8, at = bench_below(w, h->count);
  if (newest > 0 && bench_below(w, 100) < p->young) at = h->count - 1 - bench_below(w, newest);
  h->bytes -= h->blocks[at].n;
  block_free(w, &h->blocks[at]);
  h->blocks[at] = h->blocks[--h->count];
}

// At most `n` steps towards `live` bytes; false when that is reached.
static __attribute__((noinline)) bool approach(bench_worker *w, struct heap *h, const phase *p,
                                               int64_t live, bool growing, int n) {
  for (; n > 0; n--) {
    if (growing ? h->bytes >= live || h->count == h->slots : h->bytes <= live || h->count == 0)
      return false;
    if (growing)
      add(w, h, p);
    else
      drop(w, h, p);
  }
  return true;
}

static __attribute__((noinline)) void replace(bench_worker *w, struct heap *h, const phase *p,
                                              int64_t live, int64_t n) {
  for (; n > 0; n--) {
    if (h->count < h->slots) add(w, h, p);
    while (h->bytes > live || h->count == h->slots) drop(w, h, p);
  }
}

static void run_phase(bench_worker *w, struct heap *h, const phase *p, int64_t most) {
  int64_t live = most * p->live / 100;
  bool growing = h->bytes < live;
  while (approach(w, h, p, live, growing, SLICE)) {}
  for (int64_t left = bench_count(REPLACED) / w->threads; left > 0; left -= SLICE)
    replace(w, h, p, live, left < SLICE ? left : SLICE);
}

BENCH(frag, ON_MAIN) {
  uint32_t slots = SLOTS / (uint32_t)w->threads;
  struct heap h = {.blocks = bench_table(w, slots, sizeof(block)), .slots = slots};
  int64_t most = bench_size(LIVE) / w->threads;
  // The first phase is the warm-up.
  run_phase(w, &h, &phases[0], most);
  h.made = 0;
  bench_begin(w);
  for (int i = 1; i < PHASES; i++) run_phase(w, &h, &phases[i], most);
  bench_end(w, h.made);
  block_free_all(w, h.blocks, h.count);
  bench_table_free(w, h.blocks, slots, sizeof(block));
}
