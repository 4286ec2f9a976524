// A span: a run of pages that is one thing to the page heap. It is free, or cut into objects of one
// size class, or one large object; or it is memory for records (pageheap_grow.c).
//
// Life: bw__pageheap_alloc makes it from a free span (splitting), bw__pageheap_free gives it back,
// where it may disappear into a free neighbour; its record is then used again.
//
//   state          lists it is on                    who may change its fields
//   SPAN_DEAD      none (the record is in meta's     page heap's lock
//                  free list)
//   SPAN_FREE      list of its length, or the        page heap's lock
//                  ordered set
//   SPAN_OBJECTS   central's while it has free       class's lock: link, in_use, carved, free
//                  objects
//   SPAN_LARGE     none                              page heap's lock
//   SPAN_HEAP      one of its heap's                 heap's lock: link, in_use, carved, free,
//                                                    owner; for a large object pages too
//   SPAN_RECORDS   none                              nobody: it stays what it is
//
// I1: start is a multiple of BW_PAGE_SIZE, pages > 0 unless dead. No two live spans overlap.
// I2: pages beyond the first `dirty` have never been handed out: they are zero.
// I3: a SPAN_OBJECTS span has `carved` objects made so far, `in_use` of them not on `free`; it is
//     on central's list exactly while in_use < the class's objects.
// I4: owner is the first-class heap that the span belongs to, and that is a SPAN_HEAP span; NULL in
//     all other spans and in records that are dead. (See heap.c, which looks at it without a lock.)
#ifndef BURROW_ALLOC_SPAN_H
#define BURROW_ALLOC_SPAN_H

#include "base/shared.h"
#include "base/list.h"

typedef enum {
  SPAN_DEAD,
  SPAN_FREE,
  SPAN_OBJECTS,
  SPAN_LARGE,
  SPAN_HEAP,
  SPAN_RECORDS
} bw__span_state;

typedef struct bw__span {
  union {
    bw__list link;
    struct {
      struct bw__span *left, *right;
    } tree; // in the ordered set
  };
  uintptr_t start;
  size_t pages;
  size_t dirty;       // leading pages that may hold something other than zeros
  uint8_t state;      // bw__span_state
  uint8_t size_class; // of a SPAN_OBJECTS or SPAN_HEAP span; 0: one large object
  bool released;      // SPAN_FREE: its pages are with the system
  union {
    uint32_t window; // SPAN_FREE: when pages last joined it; see scavenge.h
    struct {
      uint16_t carved;
      _Atomic(uint16_t) in_use; // written under the lock of the class or of the heap, read without
    };
  };
  union {
    void *free;                // objects, linked through their first word
    struct bw__sample *sample; // SPAN_LARGE: what the heap profile knows of it; NULL: nothing
  };
  _Atomic(struct bw_heap *) owner;
} bw__span;

_Static_assert(sizeof(bw__span) <= BW_CACHE_LINE, "records are cut in cache lines");

static inline size_t bw__span_bytes(const bw__span *s) { return s->pages << BW_PAGE_SHIFT; }

static inline uintptr_t bw__span_end(const bw__span *s) { return s->start + bw__span_bytes(s); }

static inline bool bw__span_contains(const bw__span *s, uintptr_t address) {
  return address - s->start < bw__span_bytes(s);
}

#endif
