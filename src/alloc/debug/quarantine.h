// The quarantine: freed objects wait here, first in, first out, before the plain allocator gets
// them back, so that what the program still does with them is seen: a second free at once, a write
// when the object leaves, and any touch at once if the object is sealed (guard.h).
//
// It holds at most options.quarantine_bytes (what the plain allocator gave, canaries and guards
// included), but always the object freed last, however large.
#ifndef BURROW_ALLOC_DEBUG_QUARANTINE_H
#define BURROW_ALLOC_DEBUG_QUARANTINE_H

#include "alloc/debug/objects.h"

typedef struct {
  uint64_t objects, bytes, large_bytes;
} bw__quarantine_totals;

// Takes in an object that is marked as freed. Caller holds bw__debug_mu.
void bw__quarantine_put(bw__debug_object *o);
bw__quarantine_totals bw__quarantine_read(void);

// Gives the oldest back until at most `limit` bytes wait; all for 0. Ends the program when one was
// written to; `found_by` says in which function. Locks: debug, then caches, central, page heap.
// Blocks: M.
void bw__quarantine_trim(size_t limit, const char *found_by);

#endif
