// The allocator below the debug build's own: alloc.c's functions by the names that
// alloc/plain_names.h gives them.
#ifndef BURROW_ALLOC_DEBUG_PLAIN_H
#define BURROW_ALLOC_DEBUG_PLAIN_H

#include "alloc/alloc.h"

__typeof__(bw_malloc) bw__plain_malloc;
__typeof__(bw_realloc) bw__plain_realloc;
__typeof__(bw_aligned_alloc) bw__plain_aligned_alloc;
__typeof__(bw_free) bw__plain_free;
__typeof__(bw_free_sized) bw__plain_free_sized;
__typeof__(bw_free_aligned_sized) bw__plain_free_aligned_sized;
__typeof__(bw_malloc_usable_size) bw__plain_usable_size;
__typeof__(bw_alloc_stats_read) bw__plain_stats_read;
__typeof__(bw_alloc_release) bw__plain_release;
__typeof__(bw__alloc_zeroed) bw__plain_alloc_zeroed;
__typeof__(bw__free_exact) bw__plain_free_exact;

#endif
