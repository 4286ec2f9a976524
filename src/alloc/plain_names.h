// The names of the allocator's entry points in alloc.c, which includes this before anything else.
// In a debug build (BURROW_ALLOC_DEBUG) they are bw__plain_..., and the functions with the public
// names are those of alloc/debug/, which call them. In any other build this file is empty.
#ifndef BURROW_ALLOC_PLAIN_NAMES_H
#define BURROW_ALLOC_PLAIN_NAMES_H

#include "base/config.h"

#if BW_ALLOC_DEBUG
#define bw_malloc             bw__plain_malloc
#define bw_calloc             bw__plain_calloc
#define bw_realloc            bw__plain_realloc
#define bw_aligned_alloc      bw__plain_aligned_alloc
#define bw_free               bw__plain_free
#define bw_free_sized         bw__plain_free_sized
#define bw_free_aligned_sized bw__plain_free_aligned_sized
#define bw_malloc_usable_size bw__plain_usable_size
#define bw_malloc_good_size   bw__plain_good_size
#define bw_alloc_stats_read   bw__plain_stats_read
#define bw_alloc_release      bw__plain_release
#define bw__alloc8            bw__plain_alloc8
#define bw__alloc_zeroed      bw__plain_alloc_zeroed
#define bw__free_exact        bw__plain_free_exact
#endif

#endif
