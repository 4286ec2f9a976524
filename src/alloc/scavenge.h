// When idle pages go back to the system. There is no thread for it: the page heap asks here, after
// enough pages came back to it, how many are too many.
//
// The rule. What is resident may be an eighth more than the most that was in use at once in this
// window of time and the last one. What is beyond that was not needed for at least a window, and
// goes, the longest spans first, STEP pages at a time: a program whose use goes up and down faster
// than a window keeps its pages and pays no page fault; one that became smaller gives the rest back
// within two windows of its further work. (A program that stops calling gives nothing back by
// itself: bw_alloc_release does.)
//
// I1: peak >= what was in use at any time since the window began; last_peak is that of the window
//     before.
//
// Guarded by the page heap's lock. Zero is ready, with the default window.
#ifndef BURROW_ALLOC_SCAVENGE_H
#define BURROW_ALLOC_SCAVENGE_H

#include "base/config.h"

typedef struct {
  size_t peak, last_peak; // pages in use
  size_t came_back;       // pages since the clock was last looked at
  int64_t window_end;     // on bw__port_now's clock
  int64_t window;         // ns; 0: the default, < 0: never give back
} bw__scavenge;

static inline void bw__scavenge_used(bw__scavenge *s, size_t used_pages) {
  if (used_pages > s->peak) s->peak = used_pages;
}

// Notes that `pages` came back, `used_pages` are left in use and `idle_pages` are free and
// resident. Returns how many of these to give back now.
size_t bw__scavenge_due(bw__scavenge *s, size_t pages, size_t used_pages, size_t idle_pages);

#endif
