/// @file heap.h  First-class heaps: memory that is given back all at once.
///
///     bw_heap *request = bw_heap_create();
///     if (!request) return BW_ENOMEM;
///     char *line = bw_heap_malloc(request, 4000);
///     printf("%d\n", bw_heap_of(line) == request); // prints 1
///     bw_heap_destroy(request);                    // line and all else of this heap is gone
///
/// A heap has spans of its own, so destroying it costs by the span (8 KB and more), not by the
/// object, and touches none of its memory. An object may also be freed alone: bw_free, bw_realloc
/// (the object stays in its heap), bw_malloc_usable_size, bw_free_sized and bw_alloc_where_is take
/// it like any other.
///
/// Any thread and any goroutine may call any of these for the same heap; none of them parks. Each
/// call takes the heap's lock for a moment: bw_malloc, which takes none, is faster.
///
/// Where a function takes a heap, NULL stands for the memory that belongs to no heap: then
/// bw_heap_malloc is bw_malloc, and so on. A heap that was destroyed is a fatal error.
#ifndef BURROW_HEAP_H
#define BURROW_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef BW_ALLOC_EXPORT // as in alloc.h
#pragma GCC visibility push(default)
#endif

typedef struct bw_heap bw_heap;

/// Zero is the default of each.
typedef struct bw_heap_options {
  const char *name;   ///< for messages; up to 31 bytes of it are kept
  uint64_t max_bytes; ///< a hard limit for bw_heap_stats.bytes; 0: none
} bw_heap_options;

/// A heap without memory. NULL: no memory for its record.
bw_heap *bw_heap_create(void);
bw_heap *bw_heap_create_with(const bw_heap_options *options);

/// Gives all memory of the heap back, whether its objects are in use or not, and the heap with it.
/// Its pages can then serve any purpose. Pointers into it are what pointers to freed memory are:
/// bw_free of one is a fatal error as long as nobody else has got the memory. No call for this heap
/// may be under way in another thread.
void bw_heap_destroy(bw_heap *heap);

/// As the functions without `heap_`. NULL as well when the heap's limit is reached; all that is in
/// the heap stays usable, and what is freed can be allocated again.
void *bw_heap_malloc(bw_heap *heap, size_t size);
void *bw_heap_calloc(bw_heap *heap, size_t count, size_t size);
void *bw_heap_aligned_alloc(bw_heap *heap, size_t align, size_t size);
/// `ptr` must be NULL or an object of this very heap (a fatal error if not).
void *bw_heap_realloc(bw_heap *heap, void *ptr, size_t size);

/// The heap whose memory `ptr` points into; NULL when it is in none.
bw_heap *bw_heap_of(const void *ptr);

/// Gives back the spans in which nothing is in use (a heap keeps one for each size class), and as
/// many idle pages to the system where the target can. Returns the bytes that the system got.
/// bw_heap_release(NULL) is bw_alloc_release().
size_t bw_heap_release(bw_heap *heap);

typedef struct bw_heap_stats {
  uint64_t bytes, spans;    ///< what the heap holds of the page heap
  uint64_t live_bytes;      ///< in use by the program, by usable size
  uint64_t objects;         ///< in use by the program
  uint64_t mallocs, frees;  ///< since it was made
  uint64_t peak_bytes;      ///< the most that `bytes` was
  uint64_t peak_live_bytes; ///< the most that `live_bytes` was
  uint64_t limit_bytes;     ///< its max_bytes
} bw_heap_stats;

/// The numbers of one moment. `heap` must not be NULL (see bw_alloc_stats_read).
void bw_heap_stats_read(bw_heap *heap, bw_heap_stats *out);

#ifdef BW_ALLOC_EXPORT
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
