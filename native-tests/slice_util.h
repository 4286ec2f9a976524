// Small helpers of the slice tests.
#ifndef BURROW_SLICE_UTIL_H
#define BURROW_SLICE_UTIL_H

#include "test.h"

// memcmp that allows NULL for nothing.
static inline bool same_bytes(const void *a, const void *b, size_t n) {
  return n == 0 || memcmp(a, b, n) == 0;
}

static inline bool all_zero(const void *p, size_t n) {
  const unsigned char *b = p;
  for (size_t i = 0; i < n; i++)
    if (b[i]) return false;
  return true;
}

// Objects that this program holds. Exact as long as one thread allocates.
static inline uint64_t live_objects(void) {
  bw_alloc_stats stats;
  bw_alloc_stats_read(&stats);
  return stats.mallocs - stats.frees;
}

// Bytes that cannot be had though they do not overflow. With 64-bit addresses more than any
// processor maps; with 32 bits a quarter of all memory, once hoard_memory has taken the rest.
static inline ptrdiff_t unobtainable(void) {
  return sizeof(void *) == 8 ? (ptrdiff_t)((uint64_t)1 << 50) : (ptrdiff_t)1 << 30;
}

struct hoard {
  void *blocks[4];
  int count;
};

static inline struct hoard hoard_memory(void) {
  struct hoard h = {.count = 0};
  if (sizeof(void *) == 8) return h;
  while (h.count < 4 && (h.blocks[h.count] = bw_malloc((size_t)unobtainable()))) h.count++;
  return h;
}

static inline void free_hoard(struct hoard h) {
  while (h.count > 0) bw_free(h.blocks[--h.count]);
}

#endif
