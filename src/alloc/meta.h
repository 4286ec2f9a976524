// Memory for the allocator's own records: cut from chunks, never given back. Span records are used
// again. Everything here is called under the page heap's lock.
#ifndef BURROW_ALLOC_META_H
#define BURROW_ALLOC_META_H

#include "alloc/span.h"

typedef struct {
  uint64_t system_bytes; // asked of the system for any purpose
  uint64_t system_calls;
  uint64_t bytes; // of these for records, unused rests included
} bw__meta_counts;

// The totals; the page heap adds its own requests by going through bw__meta_grow.
extern bw__meta_counts bw__meta_count;

// For tests: requests to the system are numbered from 1, and those from `first` to `last` are
// refused as if the system had no memory. Zero refuses none. Under the page heap's lock.
typedef struct {
  uint64_t requests; // so far, refused ones included
  uint64_t first, last;
} bw__meta_refusals;

extern bw__meta_refusals bw__meta_refuse;

// bw__port_mem_grow, counted as system memory (not as records). Every request goes through here.
void *bw__meta_grow(size_t least, size_t want, size_t *got);
// Makes this memory, zeros that are in system_bytes, a chunk for records. What was left
// of the last chunk is lost.
void bw__meta_donate(void *p, size_t bytes);

// Zeroed, aligned to BW_CACHE_LINE; NULL when the system has no memory.
void *bw__meta_alloc(size_t bytes);
// Zeroed; NULL when the system has no memory.
bw__span *bw__meta_span_new(void);
void bw__meta_span_free(bw__span *s);

#endif
