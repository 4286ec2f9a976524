// Requests to the system that fail, for tests: which ones, and taking all memory that the heap has
// already, so that what follows must ask for more.
#ifndef BURROW_OOM_UTIL_H
#define BURROW_OOM_UTIL_H

#include "test.h"

#include "alloc/alloc.h"
#include "alloc/meta.h"
#include "alloc/pageheap_state.h"
#include "alloc/sizeclass.h"

enum { OOM_FOR_EVER = -1 };

// Refuses the `n`-th request from now (1: the next) and those after it, `count` in all.
static inline void oom_begin(uint64_t n, int64_t count) {
  bw__mutex_lock(&bw__pageheap.mu);
  bw__meta_refuse.first = bw__meta_refuse.requests + n;
  bw__meta_refuse.last =
      count == OOM_FOR_EVER ? UINT64_MAX : bw__meta_refuse.first + (uint64_t)count - 1;
  bw__mutex_unlock(&bw__pageheap.mu);
}

// True: a request was refused since oom_begin.
static inline bool oom_end(void) {
  bw__mutex_lock(&bw__pageheap.mu);
  bool refused = bw__meta_refuse.first && bw__meta_refuse.requests >= bw__meta_refuse.first;
  bw__meta_refuse.first = bw__meta_refuse.last = 0;
  bw__mutex_unlock(&bw__pageheap.mu);
  return refused;
}

// Blocks linked through their first word.
typedef struct oom_block {
  struct oom_block *next;
} oom_block;

static inline bool oom_is_free(const bw_alloc_span *span, void *pages) {
  if (span->size_class >= 0) return true;
  *(size_t *)pages = span->bytes >> BW_PAGE_SHIFT;
  return false;
}

// The pages of any free span; 0: there is none.
static inline size_t oom_free_pages(void) {
  size_t pages = 0;
  bw_alloc_walk(oom_is_free, &pages);
  return pages;
}

static inline void oom_take(oom_block **all, void *p) {
  oom_block *b = p;
  b->next = *all;
  *all = b;
}

// Takes what the heap can give without asking the system, down to the last object and record. The
// spans first, and each as a whole: what is cut off one would be memory for records.
static inline oom_block *oom_soak(void) {
  oom_block *all = NULL;
  oom_begin(1, OOM_FOR_EVER);
  for (size_t pages; (pages = oom_free_pages()) > 0;)
    oom_take(&all, (void *)bw__pageheap_alloc(pages, 0)->start);
  for (unsigned c = BW_SIZECLASS_COUNT - 1; c > 0; c--)
    for (void *p; (p = bw__alloc8(bw__sizeclass_sizes[c]));) oom_take(&all, p);
  while (bw__pageheap_record(1)) {}
  oom_end();
  return all;
}

static inline void oom_free(oom_block *all) {
  while (all) {
    oom_block *p = all;
    all = p->next;
    bw_free(p);
  }
}

static inline void oom_check_books(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  CHECK_EQ(s.system_bytes, s.heap_free_bytes + s.heap_used_bytes + s.metadata_bytes);
  CHECK(s.live_bytes + s.cache_free_bytes + s.central_free_bytes <= s.heap_used_bytes);
  CHECK(bw__pageheap_valid());
}

#endif
