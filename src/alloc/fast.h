// The hit paths of malloc and free, for bw_malloc and bw_free and for the C names beside them: one
// call less for each. Only for functions that nothing inlines (see cache.h, bw__cache_mine).
#ifndef BURROW_ALLOC_FAST_H
#define BURROW_ALLOC_FAST_H

#include "alloc/cache.h"
#include "alloc/pagemap.h"
#include "alloc/poison.h"

// As bw_malloc, from this thread's list. NULL: it has none of the size, or the size is above the
// fine table; then bw_malloc knows more.
static inline void *bw__malloc_fast(size_t size) {
  if (BW_UNLIKELY(size > BW_SIZECLASS_FINE_MAX)) return NULL;
  size_t c = bw__sizeclass_fine16[(size + 7) >> 3];
  void *object = bw__cache_pop(bw__cache_mine, c);
  bw__unpoison(object, object ? bw__sizeclass_sizes[c] : 0);
  return object;
}

// As bw_free, into this thread's list. False: `p` is no object of a class, or not in use, or the
// list is full; nothing is done then.
static inline bool bw__free_fast(void *p) {
  unsigned tag = bw__pagemap_tag((uintptr_t)p);
  size_t c = bw__pagemap_tag_class(tag); // size_t: it is only ever an index here
  if (BW_UNLIKELY(!c)) return false;
  if (BW_UNLIKELY(!bw__sizeclass_starts(c, bw__pagemap_tag_offset(tag, (uintptr_t)p))))
    return false;
  if (BW_UNLIKELY(bw__chain_plausible(bw__chain_decode(p)))) return false;
  if (BW_UNLIKELY(!bw__cache_push(bw__cache_mine, c, p))) return false;
  bw__poison_freed(p, bw__sizeclass_sizes[c]);
  return true;
}

// The rest of bw_free.
void bw__free_slow(void *p);

// The same two for the C names, which must not pass by what stands in front of alloc.c in a debug
// build (alloc/plain_names.h).
static inline void *bw__malloc_hit(size_t size) {
  return BW_ALLOC_DEBUG ? NULL : bw__malloc_fast(size);
}

static inline bool bw__free_hit(void *p) {
  if (!BW_ALLOC_DEBUG) return bw__free_fast(p);
  bw_free(p);
  return true;
}

#endif
