// Whether an object is free: told by what it holds (chain.h).
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

static inline bool bw__object_is_free(const void *p, unsigned c) {
  return bw__object_is_link(bw__chain_decode(p), c);
}

#endif
