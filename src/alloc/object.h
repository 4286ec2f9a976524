// One object of a span: taking the next one, and whether one is free, which is told by what it
// holds (chain.h).
#ifndef BURROW_ALLOC_OBJECT_H
#define BURROW_ALLOC_OBJECT_H

#include "alloc/chain.h"
#include "alloc/pagemap.h"
#include "alloc/sizeclass.h"

// Whether an object of class `c` that decodes to `next` is free: it holds what can be a link, and
// that leads to the end of a chain or to an object of its class.
static inline bool bw__object_is_link(uint64_t next, unsigned c) {
  if (BW_LIKELY(!bw__chain_plausible(next))) return false;
  if (next == 0) return true;
  unsigned tag = bw__pagemap_tag((uintptr_t)next);
  return bw__pagemap_tag_class(tag) == c &&
         bw__sizeclass_starts(c, bw__pagemap_tag_offset(tag, (uintptr_t)next));
}

// Whether `p`, in a page with this tag, which is not 0, is where an object in use starts.
static inline bool bw__object_is_in_use(unsigned tag, const void *p) {
  unsigned c = bw__pagemap_tag_class(tag);
  return bw__sizeclass_starts(c, bw__pagemap_tag_offset(tag, (uintptr_t)p)) &&
         !bw__object_is_link(bw__chain_decode(p), c);
}

// An object of `s`, which has a free one: off its chain, or the next to be made. Under the lock of
// whom the span belongs to.
static inline void *bw__object_take(bw__span *s) {
  void *object = s->free;
  if (object)
    s->free = bw__chain_next(object);
  else
    object = (void *)(s->start + s->carved++ * (size_t)bw__sizeclass_sizes[s->size_class]);
  return object;
}

// The large object `s`, for the program. What a free object that began there has left is gone, or
// realloc might copy it to where it looks like one again.
static inline void *bw__object_large(const bw__span *s) {
  if (s->dirty) bw__chain_clear((void *)s->start);
  return (void *)s->start;
}

#endif
