// First-class heaps, for the rest of the allocator: what bw_free and its kin do with an object that
// is in no size class of the page map. See heap.c.
#ifndef BURROW_ALLOC_HEAP_H
#define BURROW_ALLOC_HEAP_H

#include "alloc/span.h"
#include "lock/mutex.h"

#include <burrow/alloc.h>
#include <burrow/heap.h>

enum { BW_HEAP_NAME_LEN = 32 };

// Frees the object at `p`. False: `p` is in no heap. What is in a heap but no object in use there
// is a fatal error. Locks: heap, page heap. Blocks: M.
bool bw__heap_free(void *p);

// Usable bytes and class (0: large) of the object in use at `p`; 0 when no heap has one there.
// Locks: heap. Blocks: M.
size_t bw__heap_object_bytes(const void *p, unsigned *size_class);

// Makes the large object at `p` `pages` long where it is. False: not possible, nothing changed.
// Locks: heap, page heap. Blocks: M.
bool bw__heap_resize_large(void *p, size_t pages);

// Locks the heap that `p` is in; *span is its span. NULL: it is in none.
// Locks: heap, which stays locked. Blocks: M.
bw_heap *bw__heap_lock_owner(const void *p, bw__span **span);
void bw__heap_unlock(bw_heap *h);
// Whether the object that starts at `object` in a heap's span is free; `word` is what it holds.
// The heap is locked.
bool bw__heap_is_free_locked(const bw__span *s, const void *object, uint64_t word);

// For messages: what the program called it, or "". `h` may be destroyed. Locks: none.
const char *bw__heap_name(const bw_heap *h);

// Fills the heaps' fields, and adds what is in heaps to those of all objects. Locks: list of heaps,
// each heap in turn. Blocks: M.
void bw__heaps_stats(bw_alloc_stats *out);

// Takes the locks of the list and of all heaps, and gives them back, around a fork.
void bw__heaps_fork_before(void);
void bw__heaps_fork_after(void);

// Checks every invariant; for tests. Locks: heap. Blocks: M.
bool bw__heap_valid(bw_heap *h);

#endif
