// The free spans by length: a list for each length of 1..128 pages, an ordered set for longer ones.
// All of that twice: for spans whose pages are resident, and for those that were given back to the
// system, which cost a page fault for each page. Of two that fit equally well the resident one is
// taken.
//
// I1: a span is in its side's listed[pages] or, above 128 pages, in `longer`; bit `pages` of
//     `nonempty` says whether listed[pages] has any.
// I2: pages and spans count what is in a side.
//
// Guarded by the page heap's lock. Zero is empty.
#ifndef BURROW_ALLOC_FREESPANS_H
#define BURROW_ALLOC_FREESPANS_H

#include "alloc/spanset.h"

// The longest span that has a list of its own length: 1 MB.
#define BW_FREESPANS_LISTED 128

typedef struct {
  bw__list listed[BW_FREESPANS_LISTED + 1]; // [0] is not used
  uint64_t nonempty[BW_FREESPANS_LISTED / 64 + 1];
  bw__spanset longer;
  size_t pages, spans;
} bw__freespans_side;

typedef struct {
  bool ready;                            // the lists are initialised
  bw__freespans_side resident, released; // by span.released
} bw__freespans;

void bw__freespans_put(bw__freespans *f, bw__span *s);
void bw__freespans_take(bw__freespans *f, bw__span *s);

// One of the first non-empty list from `pages` to 128, else the best fit of the set; it stays in.
// NULL: no span is that long.
bw__span *bw__freespans_find(const bw__freespans *f, size_t pages);

// Gives spans that no page joined after `window` back to the system, the longest first, until that
// makes `pages`. Returns the pages.
size_t bw__freespans_release(bw__freespans *f, size_t pages, uint32_t window);

// Checks what can be checked from here; for tests and assertions.
bool bw__freespans_valid(const bw__freespans *f);

static inline size_t bw__freespans_pages(const bw__freespans *f) {
  return f->resident.pages + f->released.pages;
}

static inline size_t bw__freespans_count(const bw__freespans *f) {
  return f->resident.spans + f->released.spans;
}

#endif
