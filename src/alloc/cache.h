// The thread cache: a free list for each size class that only its thread touches. See cache.c.
//
// What is inline here is the whole fast path of malloc and free.
#ifndef BURROW_ALLOC_CACHE_H
#define BURROW_ALLOC_CACHE_H

#include "alloc/alloc.h"
#include "alloc/budget.h"
#include "alloc/central.h"
#include "alloc/sampler.h"
#include "base/shared.h"
#include "alloc/sizeclass.h"

// A list's length is not kept: it is moved + frees - allocs, where `moved` (what came from central
// less what went back) changes on the slow path only. So malloc and free each change one counter,
// and these are the statistics as well.
typedef struct {
  void *head;       // a chain; its thread only
  bw__tally allocs; // objects given to the program
  bw__tally frees;  // objects taken from the program
  int64_t limit;    // capacity - moved: the list is too long when frees - allocs > limit
} bw__cache_list;

// In lines of its own, as every record of bw__pageheap_record is. Its thread alone writes it, but
// for `share`, which others touch on their slow paths, when the total is spent: not worth a line
// more.
struct bw__cache {
  bw__cache_list lists[BW_SIZECLASS_COUNT];
  BW_SHARED(int64_t) moved[BW_SIZECLASS_COUNT]; // written by the thread
  uint64_t seen[BW_SIZECLASS_COUNT];            // allocs + frees when last looked at for idleness
  bw__tally misses;
  int64_t budget;         // bytes of capacity not yet given to a list
  unsigned hand;          // the class to look at next when capacity is short
  bw__budget_share share; // what it may spend in all; see budget.h
  bw__sampler sampler;    // of the heap profile
  bw__cache *next;        // all caches there are; r/o once it is in the list
  bw__cache *next_idle;   // caches without a thread; under the lock of cache.c
};

// The cache this thread uses: its own or, while the thread runs goroutines, that of its P; and
// bw__cache_none before its first use, after the thread gave it back, and while every call shall
// take the slow path. Read it only in functions that nothing inlines and that do not switch
// goroutines: after a switch the thread is another one.
#if BW_WASM
extern _Thread_local bw__cache *bw__cache_mine;
#else
extern _Thread_local bw__cache *bw__cache_mine __attribute__((tls_model("initial-exec")));
#endif

// Has nothing and takes nothing, so that the fast path need not ask whether there is a cache. R/o.
extern bw__cache bw__cache_none;

// On wasm a thread without its thread-local memory yet (see cache.c) reads nonsense there, which is
// to be NULL.
static inline bool bw__cache_missing(const bw__cache *cache) { return BW_WASM && !cache; }

// An object of class `c`; NULL when the list is empty.
static inline void *bw__cache_pop(bw__cache *cache, size_t c) {
  if (BW_UNLIKELY(bw__cache_missing(cache))) return NULL;
  bw__cache_list *l = &cache->lists[c];
  void *object = l->head;
  if (BW_UNLIKELY(!object)) return NULL;
  l->head = bw__chain_next(object);
  bw__chain_clear(object);
  bw__tally_add(&l->allocs, 1);
  return object;
}

// Takes an object of class `c`. False: the list is as long as it may be, and did not take it.
static inline bool bw__cache_push(bw__cache *cache, size_t c, void *object) {
  if (BW_UNLIKELY(bw__cache_missing(cache))) return false;
  bw__cache_list *l = &cache->lists[c];
  uint64_t frees = bw__tally_read(&l->frees) + 1;
  if (BW_UNLIKELY((int64_t)(frees - bw__tally_read(&l->allocs)) > l->limit)) return false;
  bw__chain_link(object, l->head);
  l->head = object;
  bw__tally_write(&l->frees, frees);
  return true;
}

// An object of class `c` when the fast path had none: makes this thread's cache, refills the list,
// or goes to central. NULL: no memory. Locks: caches, central, page heap, one at a time or in rank
// order. Blocks: M.
BW_ALLOC_CODE void *bw__cache_alloc_slow(unsigned c);

// Takes an object of class `c` when the fast path would not: makes room in the list, or gives it to
// central. Locks and Blocks: as above.
void bw__cache_free_slow(unsigned c, void *object);

// Whether every malloc and free of a thread with a cache shall take the slow path, to be seen
// there. Threads notice when they come along the slow path next, goroutines when their thread takes
// a P. Locks: none. Blocks: never.
extern _Atomic(bool) bw__cache_watched;
void bw__cache_set_watched(bool watched);
static inline bool bw__cache_is_watched(void) { return bw__load_relaxed(&bw__cache_watched); }

// The sampler of the cache that this thread uses; NULL when it has none. Locks: caches, page heap.
// Blocks: M.
bw__sampler *bw__cache_sampler(void);

// Gives all objects in this thread's cache back to central. Locks: central, page heap. Blocks: M.
void bw__cache_flush(void);

typedef struct {
  uint64_t allocs, frees, live_bytes;
} bw__cache_totals;

// Fills the allocs, frees, in_use and cached of class `c`. Locks: caches. Blocks: M.
void bw__cache_class_stats(unsigned c, bw_alloc_class_stats *out);

// Adds the caches' fields to `out`; *totals is of all small objects. Locks: caches. Blocks: M.
void bw__cache_stats(bw_alloc_stats *out, bw__cache_totals *totals);

#endif
