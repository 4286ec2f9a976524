/// @file alloc.h  The allocator: thread caches, central free lists, a page heap.
///
/// The `malloc` family under our own names. On wasm these also *are* the program's malloc, free,
/// calloc, realloc, aligned_alloc, memalign and posix_memalign; natively the C library keeps its
/// own (memory of one must not be freed by the other), unless the program runs with or is linked
/// to libburrow_malloc.so, which puts these under all of malloc's names.
///
///     int *numbers = bw_calloc(4, sizeof *numbers); // zeros
///     if (!numbers) return BW_ENOMEM;
///     int *more = bw_realloc(numbers, 8 * sizeof *numbers);
///     if (more) numbers = more;                     // else `numbers` is as it was
///     printf("%d\n", numbers[3]);                   // prints 0
///     bw_free(numbers);
///
/// Any thread and any goroutine may call any of these; none of them parks. Memory may be freed by
/// another thread than the one that allocated it.
#ifndef BURROW_ALLOC_H
#define BURROW_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef BW_ALLOC_EXPORT // while libburrow_malloc.so is compiled: its API besides the C names
#pragma GCC visibility push(default)
#endif

/// Memory for `size` bytes, aligned to 16 (to 8 for sizes up to 8). NULL when no memory is left:
/// nothing else changes then. bw_malloc(0) is a unique pointer.
void *bw_malloc(size_t size);
/// As bw_malloc(count * size), zeroed; NULL as well when the product overflows.
void *bw_calloc(size_t count, size_t size);
/// Grows or shrinks; content up to the smaller size stays. NULL: no memory, `ptr` is untouched.
/// bw_realloc(NULL, n) is bw_malloc(n); bw_realloc(p, 0) frees p and returns NULL.
void *bw_realloc(void *ptr, size_t size);
/// `align` must be a power of two, else NULL. Freed with bw_free.
void *bw_aligned_alloc(size_t align, size_t size);
/// Gives memory back. NULL is allowed.
///
/// In every build these end the program with a message that names the pointer, its size class and
/// the state of its span: a pointer that no bw_ function gave, one into the middle of an object, an
/// object that is free already (unless the program wrote over its first eight bytes in between). An
/// object that was written to after it was freed is reported when it would be handed out again.
void bw_free(void *ptr);
/// As bw_free, of an object that was asked for with `size` bytes, by bw_malloc, bw_calloc or
/// bw_realloc. A size that this object cannot have been asked for with is a fatal error. C23's
/// free_sized.
void bw_free_sized(void *ptr, size_t size);
/// The same for an object of bw_aligned_alloc(align, size). C23's free_aligned_sized.
void bw_free_aligned_sized(void *ptr, size_t align, size_t size);
/// Bytes that may really be used at `ptr`: its size class, or whole pages. 0 for NULL.
size_t bw_malloc_usable_size(const void *ptr);
/// The usable size that bw_malloc(size) will give.
size_t bw_malloc_good_size(size_t size);

// ---- debug builds -------------------------------------------------------------------------------
//
// A build with the CMake option BURROW_ALLOC_DEBUG looks for what no other build can see:
//
//   * a write past an object's end or before its start. 16 bytes in front of each object and at
//     least 8 behind it hold a pattern, which is looked at when the object is freed, given to
//     bw_realloc, asked for its size, and by bw_alloc_check;
//   * use of memory that was never written, or that was freed: new objects are filled with 0xcd,
//     freed ones with 0xdd (the first MB of each);
//   * a write after free, and a second free: freed objects wait in a quarantine, and are looked at
//     when they leave it;
//   * natively, the instruction itself that goes past the end, or touches what was freed: objects
//     of 4096 bytes and more, and one in 1000 of the smaller ones, end at a page that cannot be
//     touched. (As near to it as an alignment to 16 permits: a pattern fills the rest.) At most
//     4096 objects at a time;
//   * a size other than the one asked for in bw_free_sized and its kin.
//
// Each is fatal, with a message that names the pointer, its size and, natively, the addresses of
// the code that allocated and freed it (`addr2line` knows the lines). A touched page ends the
// program with SIGSEGV, after a message; a handler that was there before gets the signal.
//
// What differs for the program: bw_malloc_usable_size and bw_malloc_good_size say the size that was
// asked for, bw_realloc always moves the object, and the statistics, bw_alloc_where and
// bw_alloc_walk show objects with what is around them. What waits in quarantine counts as freed in
// live_bytes, large_bytes and frees, and as used in heap_used_bytes. Objects of first-class heaps
// are not looked at.
//
// What it costs: see CONTRIBUTING.md.

/// Looks at all objects, in use and in quarantine. False when one was written to where it should
/// not have been; a line for each goes to stderr. Always true in any other build.
bool bw_alloc_check(void);
/// The same for one object; false as well when `ptr` is none in use. Always true in any other
/// build.
bool bw_alloc_check_object(const void *ptr);

/// What a debug build looks for. Meant to be set when the program starts.
typedef struct bw_alloc_debug_options {
  size_t quarantine_bytes; ///< freed memory that waits: 4 MB; 256 KB on wasm
  size_t guard_from;       ///< objects of this size and more end at a guard page: 4096
  uint32_t guard_one_in;   ///< of the smaller ones, one in so many: 1000. 1: all; 0: none
} bw_alloc_debug_options;

/// The options in force. False, and all zeros, in a build that is no debug build.
bool bw_alloc_debug_get(bw_alloc_debug_options *out);
/// Changes them, for objects made and freed from now on. False in a build that is no debug build.
bool bw_alloc_debug_set(const bw_alloc_debug_options *options);

/// One row of the size-class table. Class 0 stands for "large" and is all zeros.
typedef struct bw_size_class {
  uint32_t size;       ///< bytes an object
  uint32_t span_bytes; ///< bytes a span, a multiple of 8192
  uint32_t objects;    ///< objects a span
  uint32_t tail_waste; ///< bytes at the span's end that no object uses
  uint32_t max_waste;  ///< largest possible waste of a span, in 1/100 of a percent
} bw_size_class;

/// Number of rows, class 0 included: 68 for Go's table, the default; 67 for that of older Go, 86
/// for TCMalloc's (the build's BURROW_SIZE_CLASSES).
int bw_size_class_count(void);
/// Row `index`; class 0's row for an index out of range.
bw_size_class bw_size_class_at(int index);
/// The class of a size: 1..count-1, or 0 when it is large (> 32768 for Go's tables,
/// > 262144 for TCMalloc's).
int bw_size_class_of(size_t size);

/// What the allocator holds, tier by tier. Bytes unless the name says otherwise. Numbers of one
/// call belong to one moment only for each tier on its own.
typedef struct bw_alloc_stats {
  // System
  uint64_t system_bytes;   ///< asked of the system so far, never shrinks on wasm
  uint64_t system_calls;   ///< successful requests (mmap, memory.grow)
  uint64_t released_bytes; ///< of free spans that are with the system as a whole
  // Page heap
  uint64_t heap_free_bytes; ///< free spans, in the 128 lists and the ordered set
  uint64_t heap_free_spans; ///< how many
  uint64_t heap_used_bytes; ///< spans in use: by size classes or large objects
  uint64_t heap_splits, heap_coalesces;
  // Central free lists
  uint64_t central_free_bytes;               ///< free objects in spans that a size class owns
  uint64_t central_fetches, central_returns; ///< batches
  // Thread caches
  uint64_t cache_free_bytes; ///< free objects in all threads' caches
  uint64_t cache_hits, cache_misses;
  uint64_t caches; ///< live thread caches
  // Objects
  uint64_t live_bytes;  ///< in use by the program, by usable size
  uint64_t large_bytes; ///< of these in large objects (those of first-class heaps not counted)
  uint64_t mallocs, frees;
  uint64_t metadata_bytes; ///< the allocator's own records
  // The process
  uint64_t virtual_bytes;  ///< VSZ; on wasm the size of linear memory. 0: not known
  uint64_t resident_bytes; ///< RSS; on wasm what was handed out of it
  uint64_t max_bytes;      ///< the most that virtual_bytes may become; 0: not known
  uint64_t limit_bytes;    ///< bw_alloc_set_limit's
  // Since the start
  uint64_t peak_system_bytes; ///< the most that system_bytes - released_bytes was
  uint64_t peak_used_bytes;   ///< the most that heap_used_bytes was
  // First-class heaps (heap.h)
  uint64_t heaps;            ///< how many there are
  uint64_t heaps_bytes;      ///< of heap_used_bytes, what they hold
  uint64_t heaps_live_bytes; ///< of live_bytes, what is in them
} bw_alloc_stats;

/// Fills `*out`. Takes each tier's locks in turn, and asks the system: meant for statistics, not
/// for hot paths.
void bw_alloc_stats_read(bw_alloc_stats *out);

/// One size class, without what first-class heaps hold. When no other thread is at work
/// spans * (objects a span) == in_use + cached + central_free.
typedef struct bw_alloc_class_stats {
  uint64_t object_size;
  uint64_t spans;
  uint64_t in_use;       ///< objects the program has; allocs - frees
  uint64_t cached;       ///< free objects in all caches
  uint64_t central_free; ///< free objects in the central list
  uint64_t allocs, frees;
} bw_alloc_class_stats;

/// Fills `*out` for a class from 1 to bw_size_class_count() - 1; false for any other.
bool bw_alloc_class_stats_read(int size_class, bw_alloc_class_stats *out);

/// Writes one JSON object: every field of bw_alloc_stats under its name and `"classes"`, an array
/// of `{"class": 1, ...}` with every field of bw_alloc_class_stats. As snprintf: never writes more
/// than `size` bytes, the last a NUL, and returns the length of the whole text without it. The
/// numbers, and with them the length, change from call to call, but BW_ALLOC_STATS_JSON_MAX bytes
/// are always enough. Allocates nothing.
size_t bw_alloc_stats_json(char *buffer, size_t size);
#define BW_ALLOC_STATS_JSON_MAX 32000

/// Where one pointer lives; for tools and the playground.
typedef struct bw_alloc_where {
  uintptr_t span_start; ///< address of the span's first byte
  size_t span_bytes;
  int size_class;        ///< 0: a large object with a span of its own
  size_t object_size;    ///< usable bytes
  size_t object_index;   ///< place in the span
  size_t span_objects;   ///< objects a span of this class holds
  size_t span_in_use;    ///< objects not in the central free list: the program's and cached ones
  struct bw_heap *owner; ///< the first-class heap it belongs to, or NULL (heap.h)
} bw_alloc_where;

/// False when `ptr` is not inside a span that is in use.
bool bw_alloc_where_is(const void *ptr, bw_alloc_where *out);

/// One span, for bw_alloc_walk.
typedef struct bw_alloc_span {
  uintptr_t start;
  size_t bytes;
  int size_class; ///< 0: large object; -1: free
  size_t objects, in_use;
  struct bw_heap *owner; ///< the first-class heap it belongs to, or NULL
} bw_alloc_span;

/// Calls `visit` for every span in address order until it returns false. Holds the page heap's
/// lock: `visit` must not allocate or free.
void bw_alloc_walk(bool (*visit)(const bw_alloc_span *span, void *arg), void *arg);

typedef enum bw_object_state {
  BW_OBJECT_UNUSED, ///< never made: its memory was not touched since the span was cut
  BW_OBJECT_FREE,   ///< free: in the span's own list or in a cache
  BW_OBJECT_IN_USE, ///< the program's
} bw_object_state;

/// One object, for bw_alloc_walk_objects.
typedef struct bw_alloc_object {
  uintptr_t start;
  size_t bytes;
  bw_object_state state;
} bw_alloc_object;

/// Calls `visit` for every object, in address order, of the span that `ptr` points into, until it
/// returns false; a large object is the only one of its span. Takes a picture of the span first and
/// holds no lock while it shows it: `visit` may do anything. False: `ptr` is in no span in use, or
/// (in a debug build) in none of a first-class heap.
///
/// An object is told to be free by what it holds. The picture of a first-class heap's span is of
/// one moment. In other spans, objects that other threads allocate or free at the same time may be
/// in either state; nothing else is uncertain about them.
bool bw_alloc_walk_objects(const void *ptr, bool (*visit)(const bw_alloc_object *o, void *arg),
                           void *arg);

/// Gives this thread's cached objects back to the central lists, and all idle pages to the system
/// where the target can (natively; linear memory never shrinks). Returns the bytes given back to
/// the system.
size_t bw_alloc_release(void);

/// How long pages must have been idle before the allocator gives them back by itself, in
/// nanoseconds: they go after one to two such times, at most 128 MB each time. It looks when memory
/// is freed, and natively, inside bw_run, now and then as well. Without a runtime a program that
/// frees nothing more calls bw_alloc_release. 0: the default, half a second. Negative: never. No
/// effect on wasm, which has no monitor and gives nothing back.
void bw_alloc_set_release_after(int64_t ns);

/// A soft limit for system_bytes - released_bytes. Above it the allocator asks the system for no
/// more than a request needs (natively in whole pages of 2 MB), and gives all idle pages back
/// before it does. No allocation fails because of it. 0: no limit, the default.
void bw_alloc_set_limit(uint64_t bytes);

#ifdef BW_ALLOC_EXPORT
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
