// Size classes: which of the fixed object sizes serves a request. Reading only; no state.
//
// There are three tables (sizeclass_table.h), all generated; row 0 stands for objects too large for
// any class. Of each of them holds what the generator makes sure of:
//
// Class sizes are multiples of 8, all but 8 and 24 are multiples of 16, those above 1024 of 128.
// A span starts on a page, so an object's alignment is that of its class size.
//
// Reciprocal r = 2^32 / size, rounded up; down where a span is one object and up would not do. For
// every offset n inside a span
//   n / size == (n * r) >> 32, and size divides n exactly when the low half of n * r is below r.
#ifndef BURROW_ALLOC_SIZECLASS_H
#define BURROW_ALLOC_SIZECLASS_H

#include "base/config.h"
#include "alloc/sizeclass_table.h"

#include <burrow/alloc.h>

extern const bw_size_class bw__sizeclass_rows[BW_SIZECLASS_COUNT];
extern const uint32_t bw__sizeclass_sizes[BW_SIZECLASS_COUNT];
extern const uint8_t bw__sizeclass_pages[BW_SIZECLASS_COUNT];
extern const uint8_t bw__sizeclass_batches[BW_SIZECLASS_COUNT];
extern const uint32_t bw__sizeclass_reciprocals[BW_SIZECLASS_COUNT];
extern const uint8_t bw__sizeclass_fine[BW_SIZECLASS_FINE_LEN];
extern const uint8_t bw__sizeclass_fine16[BW_SIZECLASS_FINE_LEN];
extern const uint8_t bw__sizeclass_coarse[BW_SIZECLASS_COARSE_LEN];

// The class of a size that is too big for the fine table; 0 when it is too big for any.
static inline unsigned bw__sizeclass_of_coarse(size_t size) {
  if (size > BW_SIZECLASS_MAX) return 0;
  return bw__sizeclass_coarse[(size - BW_SIZECLASS_FINE_MAX + 127) >> 7];
}

// The class of `size` where 8-byte alignment is enough; 0 when large. Size 0 counts as 1.
static inline unsigned bw__sizeclass_of(size_t size) {
  if (size > BW_SIZECLASS_FINE_MAX) return bw__sizeclass_of_coarse(size);
  return bw__sizeclass_fine[(size + 7) >> 3];
}

// The class of `size` where objects above 8 bytes are to be aligned to 16; 0 when large.
static inline unsigned bw__sizeclass_of16(size_t size) {
  if (size > BW_SIZECLASS_FINE_MAX) return bw__sizeclass_of_coarse(size);
  return bw__sizeclass_fine16[(size + 7) >> 3];
}

// The first class, from that of `size` on, whose objects are aligned to `align`, a power of two; 0
// when there is none.
static inline unsigned bw__sizeclass_aligned(size_t align, size_t size) {
  if (align > BW_PAGE_SIZE) return 0;
  unsigned c = bw__sizeclass_of(size < align ? align : size);
  while (c && (bw__sizeclass_sizes[c] & (align - 1)) != 0)
    if (++c == BW_SIZECLASS_COUNT) return 0;
  return c;
}

// Which object of a span of class `c` lies at byte `offset` of it.
static inline uint32_t bw__sizeclass_index(unsigned c, uint32_t offset) {
  return (uint32_t)(((uint64_t)offset * bw__sizeclass_reciprocals[c]) >> 32);
}

// Whether an object of class `c` starts at byte `offset` of its span (the tail is not looked at).
static inline bool bw__sizeclass_starts(size_t c, uint32_t offset) {
  uint32_t r = bw__sizeclass_reciprocals[c];
  return (uint32_t)(offset * r) < r;
}

#endif
