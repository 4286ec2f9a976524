// The page heap's state, for its own rooms: pageheap.c, which changes it, and pageheap_look.c,
// which reads it.
#ifndef BURROW_ALLOC_PAGEHEAP_STATE_H
#define BURROW_ALLOC_PAGEHEAP_STATE_H

#include "alloc/freespans.h"
#include "alloc/pageheap.h"
#include "alloc/region.h"
#include "alloc/scavenge.h"
#include "lock/mutex.h"

typedef struct {
  bw__mutex mu;
  bw__freespans free;
  bw__region *regions;
  size_t used_pages, large_pages;
  uint64_t splits, coalesces;
  uint64_t large_allocs, large_frees;
  uint64_t limit; // soft, bytes; 0: none
  bw__scavenge scavenge;
} bw__pageheap_state; // all under mu

extern bw__pageheap_state bw__pageheap;

#endif
