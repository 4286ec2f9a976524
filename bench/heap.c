// First-class heaps against malloc and free: one object at a time, and a million destroyed at once.
#include "bench.h"

enum { OBJECTS = 1000, SIZE = 64 };

static void *objects[OBJECTS];

// Allocates OBJECTS and frees them, `rounds` times, in `h` or in none; op = one pair.
static void pairs(bw_heap *h, int64_t rounds) {
  int64_t start = bw_now();
  for (int64_t r = 0; r < rounds; r++) {
    for (int i = 0; i < OBJECTS; i++) objects[i] = bw_heap_malloc(h, SIZE);
    for (int i = 0; i < OBJECTS; i++) bw_free(objects[i]);
  }
  bench_result(rounds * OBJECTS, bw_now() - start);
}

// 20,000 times: allocate 1000 objects of 64 bytes, free them; op = one bw_malloc and bw_free.
BENCH(malloc_free) { pairs(NULL, bench_count(20000)); }

// The same in a heap; op = one bw_heap_malloc and bw_free.
BENCH(heap_malloc_free) {
  bw_heap *h = bw_heap_create();
  if (!h) bw_panic("no memory for a heap");
  pairs(h, bench_count(20000));
  bw_heap_destroy(h);
}

static bw_heap *heap_of(int64_t n) {
  bw_heap *h = bw_heap_create();
  if (!h) bw_panic("no memory for a heap");
  for (int64_t i = 0; i < n; i++) {
    int64_t *p = bw_heap_malloc(h, SIZE);
    if (!p) bw_panic("no memory for %lld objects", (long long)n);
    *p = i;
  }
  return h;
}

// A heap of 1,000,000 objects of 64 bytes, best of five; op = one bw_heap_malloc. The memory has
// been in use before.
BENCH(heap_malloc1M_best5) {
  int64_t n = bench_count(1000000), best = INT64_MAX;
  bw_heap_destroy(heap_of(n));
  for (int r = 0; r < 5; r++) {
    int64_t start = bw_now();
    bw_heap *h = heap_of(n);
    int64_t ns = bw_now() - start;
    if (ns < best) best = ns;
    bw_heap_destroy(h);
  }
  bench_result(n, best);
}

// Such a heap destroyed, best of five; op = one object.
BENCH(heap_destroy1M_best5) {
  int64_t n = bench_count(1000000), best = INT64_MAX;
  for (int r = 0; r < 5; r++) {
    bw_heap *h = heap_of(n);
    int64_t start = bw_now();
    bw_heap_destroy(h);
    int64_t ns = bw_now() - start;
    if (ns < best) best = ns;
  }
  bench_result(n, best);
}

// The same objects of no heap freed one by one, best of five; op = one bw_free.
BENCH(free1M_best5) {
  int64_t n = bench_count(1000000), best = INT64_MAX;
  void **all = bw_malloc((size_t)n * sizeof *all);
  if (!all) bw_panic("no memory");
  for (int r = 0; r < 5; r++) {
    for (int64_t i = 0; i < n; i++) all[i] = bw_malloc(SIZE);
    int64_t start = bw_now();
    for (int64_t i = 0; i < n; i++) bw_free(all[i]);
    int64_t ns = bw_now() - start;
    if (ns < best) best = ns;
  }
  bw_free(all);
  bench_result(n, best);
}
