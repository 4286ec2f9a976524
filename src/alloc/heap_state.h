// A first-class heap's state, for its own rooms: heap.c, which allocates and frees, and heaps.c,
// which makes, destroys and counts heaps.
#ifndef BURROW_ALLOC_HEAP_STATE_H
#define BURROW_ALLOC_HEAP_STATE_H

#include "alloc/heap.h"
#include "alloc/sizeclass.h"

typedef struct {
  bw__list spans; // those with a free object
  bool spare;     // the last of them has no object in use
} bw__heap_class;

struct bw_heap {
  bw__mutex mu;
  bool live;                   // under mu: made and not destroyed
  char name[BW_HEAP_NAME_LEN]; // r/o while live
  bw_heap_stats count;         // under mu
  bw__list full, large;        // under mu: spans without a free object, spans of large objects
  bw__heap_class classes[BW_SIZECLASS_COUNT]; // under mu
  bw__list link;                              // under the lock of the list of heaps
};

// Locks `h` for `function`; a heap that was destroyed is a fatal error. Locks: heap.
void bw__heap_lock(bw_heap *h, const char *function);

// Takes `s` from its heap, whatever list it is on, and puts it before *chain. Counts bytes and
// spans.
void bw__heap_disown_locked(bw_heap *h, bw__span *s, bw__list **chain);
// Takes the spans in which nothing is in use. Returns their bytes.
size_t bw__heap_take_spare_locked(bw_heap *h, bw__list **chain);
// Gives a chain of spans that belong to no heap any more to the page heap.
// Locks: page heap, for a few spans at a time.
void bw__heap_give_back(bw__list *chain);

#endif
