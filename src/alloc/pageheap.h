// The page heap: hands out spans of 8 KB pages and takes them back. See pageheap.c.
#ifndef BURROW_ALLOC_PAGEHEAP_H
#define BURROW_ALLOC_PAGEHEAP_H

#include "alloc/span.h"

#include <burrow/alloc.h>

// No request for more bytes than this is looked at.
#define BW_PAGEHEAP_MAX_BYTES ((size_t)PTRDIFF_MAX - ((size_t)1 << 20))

static inline size_t bw__pageheap_pages_for(size_t bytes) {
  return (bytes + BW_PAGE_SIZE - 1) >> BW_PAGE_SHIFT;
}

// A span of `pages` cut for objects of `size_class` (none of them made yet), or for one large
// object (class 0) at an address that is a multiple of `align`, a power of two. NULL: no memory.
// Locks: page heap. Blocks: M.
bw__span *bw__pageheap_alloc(size_t pages, unsigned size_class);
bw__span *bw__pageheap_alloc_aligned(size_t pages, size_t align);

// As bw__pageheap_alloc_aligned, for a first-class heap: a SPAN_HEAP span, cut for objects of
// `size_class` or (0) for a large one. The heap sets its owner. Locks: page heap. Blocks: M.
bw__span *bw__pageheap_alloc_owned(size_t pages, size_t align, unsigned size_class);

// Takes back spans of objects, or of a first-class heap (their owner must be NULL again), that are
// chained by their links: `first`, link.next, .. to NULL.
// Locks: page heap. Blocks: M.
void bw__pageheap_free_objects(bw__list *first);

// Takes back the large object at `p`. Returns its bytes; 0 when there is no large object at `p`.
// Locks: page heap, profile. Blocks: M.
size_t bw__pageheap_free_large(void *p);

// Bytes of the large object at `p`; 0 when there is none. Locks: page heap. Blocks: M.
size_t bw__pageheap_large_bytes(const void *p);
// The same as the program sees it: an object of a size class that has a span of its own, because it
// is a sample, is as long as its class and *size_class; else that is 0.
size_t bw__pageheap_large_usable(const void *p, unsigned *size_class);

// Makes the large object at `p` `pages` long where it is: the end is cut off, or a free right
// neighbour is taken in. False: not possible, nothing changed. Locks: page heap, profile. Blocks:
// M.
bool bw__pageheap_resize_large(void *p, size_t pages);

// As bw__pageheap_resize_large, for `s`, a large object of a first-class heap: under that heap's
// lock. Locks: page heap. Blocks: M.
bool bw__pageheap_resize_owned(bw__span *s, size_t pages);

// Memory for a record of another room of the allocator: zeroed, never freed, NULL when there is
// none. Locks: page heap. Blocks: M.
void *bw__pageheap_record(size_t bytes);

// Gives the pages of all free spans to the system where the target can; the bytes given.
// Locks: page heap. Blocks: M (for as long as the system takes).
size_t bw__pageheap_release(void);
// The same for the longest free spans, until that makes `bytes`.
size_t bw__pageheap_release_some(size_t bytes);

// As bw_alloc_set_limit and bw_alloc_set_release_after. Locks: page heap. Blocks: M.
void bw__pageheap_set_limit(uint64_t bytes);
void bw__pageheap_set_window(int64_t ns);

// For a thread that looks now and then: gives idle pages back as bw_alloc_set_release_after says,
// also when nothing is freed. Returns when to look again, on bw__port_now's clock; INT64_MAX: what
// is free now stays. `now` is bw__port_now(). Locks: page heap. Blocks: M, some ms at most.
int64_t bw__pageheap_scavenge(int64_t now);

// Fills the system's, the page heap's and the large objects' fields. Locks: page heap. Blocks: M.
void bw__pageheap_stats(bw_alloc_stats *out);
// How many spans are cut for objects of size class `c`, those of heaps not counted.
// Locks: page heap. Blocks: M.
uint64_t bw__pageheap_class_spans(unsigned c);
// How many large objects were made and freed since the start. Locks: page heap. Blocks: M.
void bw__pageheap_large_counts(uint64_t *allocs, uint64_t *frees);
// The free span that contains `address`. False: none does. Locks: page heap. Blocks: M.
bool bw__pageheap_free_span(uintptr_t address, bw_alloc_span *out);
// Whether `address` is in pages that have become memory for records. Locks: page heap. Blocks: M.
bool bw__pageheap_in_records(uintptr_t address);
// As bw_alloc_where_is and bw_alloc_walk. Locks: page heap. Blocks: M.
bool bw__pageheap_where(uintptr_t address, bw_alloc_where *out);
void bw__pageheap_walk(bool (*visit)(const bw_alloc_span *span, void *arg), void *arg);

// Checks every invariant; for tests and for debugging. Locks: page heap. Blocks: M.
bool bw__pageheap_valid(void);

// bw__port_mem_sbrk, which must not run beside a growth of the heap. These bytes are the caller's
// and in no statistic. Locks: page heap. Blocks: M.
void *bw__pageheap_sbrk(size_t bytes);

#endif
