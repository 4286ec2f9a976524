// The central free lists: for each size class the spans that have free objects. Between the thread
// caches, which take and give chains of objects, and the page heap. See central.c.
#ifndef BURROW_ALLOC_CENTRAL_H
#define BURROW_ALLOC_CENTRAL_H

#include "alloc/chain.h"

#include <burrow/alloc.h>

// Takes up to `want` (> 0) objects of class `c`: their number, *chain the objects. 0: no memory.
// Fewer than `want` come when memory runs out.
// Locks: class's central list, page heap. Blocks: M.
unsigned bw__central_fetch(unsigned c, unsigned want, void **chain);

// Takes back a chain of `n` (> 0) objects of class `c`, all of them made by bw__central_fetch.
// Locks: class's central list, page heap. Blocks: M.
void bw__central_return(unsigned c, void *chain, unsigned n);

// Puts the batches that wait for the next fetch back on their spans, so that spans without an
// object in use go to the page heap. Locks: each central list in turn, page heap. Blocks: M.
void bw__central_drain(void);

// Free objects of class `c`, batches that wait included. Locks: class's central list. Blocks: M.
uint64_t bw__central_free_objects(unsigned c);
// Holds the spans of class `c` as they are. Locks: class's central list. Blocks: M.
void bw__central_lock(unsigned c);
void bw__central_unlock(unsigned c);

// Adds the central lists' fields to `out`. Locks: each central list in turn. Blocks: M.
void bw__central_stats(bw_alloc_stats *out);

#endif
