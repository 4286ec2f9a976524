// When idle pages go back to the system. The page heap asks here whenever enough pages came back to
// it. The allocator has no thread that could ask when none do; the scheduler has (sched/monitor.c),
// natively and while a runtime is up.
//
// The rule. Time is cut into windows. A free span remembers the window in which pages last joined
// it; once in each window, spans that no page joined in this window or the last go back, the
// longest first, STEP pages at most. So what a program uses again within a window stays and pays no
// page fault, however much it goes up and down; what it has not touched for one to two windows
// goes, at STEP pages a window. (A program that stops freeing, and has no runtime, gives nothing
// back by itself: bw_alloc_release does, at once.)
//
// Rejected: keeping a share above the highest recent use. A heap whose idle pages are spread over
// many spans is always above it, and gives back today what it faults in tomorrow: bench/alloc,
// mixed took fifteen times as long.
//
// Guarded by the page heap's lock. Zero is ready, with the default length of a window.
#ifndef BURROW_ALLOC_SCAVENGE_H
#define BURROW_ALLOC_SCAVENGE_H

#include "alloc/freespans.h"

typedef struct {
  size_t came_back;   // pages since the clock was last looked at
  uint32_t window;    // its number
  uint32_t joined;    // in which pages came back last
  int64_t window_end; // on bw__port_now's clock
  int64_t length;     // of a window, ns; 0: the default, < 0: never give back
} bw__scavenge;

// Notes that `pages` came back. Gives idle spans of `free` to the system when it is time for that.
void bw__scavenge_came_back(bw__scavenge *s, bw__freespans *free, size_t pages);

// Gives idle spans of `free` to the system when it is time for that at `now`. Returns when it will
// be again; INT64_MAX: there is nothing to give, as long as no page comes back.
int64_t bw__scavenge_look(bw__scavenge *s, bw__freespans *free, int64_t now);

#endif
