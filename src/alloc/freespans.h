// The free spans by length: a list for each length of 1..128 pages, an ordered set for longer ones.
//
// I1: a span is in listed[pages] or, above 128 pages, in `longer`; bit `pages` of `nonempty` says
//     whether listed[pages] has any.
// I2: pages, spans and released_pages count what is in here.
//
// Guarded by the page heap's lock. Zero is empty.
#ifndef BURROW_ALLOC_FREESPANS_H
#define BURROW_ALLOC_FREESPANS_H

#include "alloc/spanset.h"

// The longest span that has a list of its own length: 1 MB.
#define BW_FREESPANS_LISTED 128

typedef struct {
  bool ready;                               // the lists are initialised
  bw__list listed[BW_FREESPANS_LISTED + 1]; // [0] is not used
  uint64_t nonempty[BW_FREESPANS_LISTED / 64 + 1];
  bw__spanset longer;
  size_t pages, spans, released_pages;
} bw__freespans;

void bw__freespans_put(bw__freespans *f, bw__span *s);
void bw__freespans_take(bw__freespans *f, bw__span *s);

// One of the first non-empty list from `pages` to 128, else the best fit of the set; it stays in.
// NULL: no span is that long.
bw__span *bw__freespans_find(const bw__freespans *f, size_t pages);

// Gives all pages back to the system that are not there yet. Returns the bytes.
size_t bw__freespans_release(bw__freespans *f);

#endif
