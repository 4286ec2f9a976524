// The page heap's state, for its own rooms: pageheap.c, which changes it, and pageheap_look.c,
// which reads it.
#ifndef BURROW_ALLOC_PAGEHEAP_STATE_H
#define BURROW_ALLOC_PAGEHEAP_STATE_H

#include "alloc/freespans.h"
#include "alloc/meta.h"
#include "alloc/pageheap.h"
#include "alloc/region.h"
#include "alloc/scavenge.h"
#include "alloc/sizeclass.h"
#include "lock/mutex.h"

typedef struct {
  bw__mutex mu;
  bw__freespans free;
  bw__region *regions;
  size_t used_pages, large_pages;
  size_t record_pages; // in SPAN_RECORDS spans
  size_t peak_used_pages;
  uint64_t peak_system_bytes;               // without what is released
  uint32_t class_spans[BW_SIZECLASS_COUNT]; // SPAN_OBJECTS spans
  uint64_t splits, coalesces;
  uint64_t large_allocs, large_frees;
  uint64_t limit; // soft, bytes; 0: none
  bw__scavenge scavenge;
} bw__pageheap_state; // all under mu

extern bw__pageheap_state bw__pageheap;

// All of these under mu.

// Puts a span, which is in no list, among the free ones; joined with what is free on both sides.
void bw__pageheap_put_free(bw__span *s);
void bw__pageheap_put_joined(bw__span *s);

// More free pages, at least `pages` of them in one piece. False: the system has no more.
bool bw__pageheap_grow(size_t pages);
// Whether `bytes` more would be more than the soft limit allows, idle pages given back or not.
bool bw__pageheap_above_limit(size_t bytes);

// A record, zeroed; from free pages if need be, so no free span is what it was. NULL: no page is
// free.
bw__span *bw__pageheap_span_new(void);
// Of the last `most` pages of `s`, which is in no list, some become memory for records, and are not
// in use any more if they were; `s` is dead if that is all of it.
void bw__pageheap_feed_from(bw__span *s, size_t most);

// What the system gave and did not get back.
static inline uint64_t bw__pageheap_system_bytes(void) {
  return bw__meta_count.system_bytes -
         ((uint64_t)bw__pageheap.free.released.pages << BW_PAGE_SHIFT);
}

#endif
