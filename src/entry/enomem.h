// What C's names for malloc add to Burrow's own: errno, and realloc's corner.
#ifndef BURROW_ENTRY_ENOMEM_H
#define BURROW_ENTRY_ENOMEM_H

#include <errno.h>

#include <burrow/alloc.h>

#include "base/config.h"

static inline void *bw__or_enomem(void *p) {
  if (BW_UNLIKELY(!p)) errno = ENOMEM;
  return p;
}

// realloc(p, 0) frees p and returns NULL without an error.
static inline void *bw__realloc_or_enomem(void *p, size_t size) {
  void *moved = bw_realloc(p, size);
  return size == 0 && p ? NULL : bw__or_enomem(moved);
}

#endif
