// Regions: where the page heap's memory is. A region came from the system in one piece, or in
// several that touch. It is a row of spans without a gap, so the heap can be walked in address
// order.
//
// I1: the list is ordered by address and no two regions touch.
//
// Guarded by the page heap's lock.
#ifndef BURROW_ALLOC_REGION_H
#define BURROW_ALLOC_REGION_H

#include "alloc/span.h"

typedef struct bw__region {
  struct bw__region *next;
  uintptr_t start, end;
} bw__region;

// Notes new memory. False: no memory for a record, nothing changed.
bool bw__region_add(bw__region **regions, uintptr_t start, size_t bytes);

// The region that contains `address`; NULL: none does.
bw__region *bw__region_of(bw__region *regions, uintptr_t address);

// The span that follows `s` in address order, the first one of all after NULL; *region is the place
// and belongs to the walk. NULL: that was the last.
bw__span *bw__region_next_span(bw__region *regions, bw__region **region, const bw__span *s);

#endif
