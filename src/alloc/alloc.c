// The malloc family: which class or how many pages, and from which tier.
//
// malloc: class of the size -> this thread's list -> done. free: tag of the page -> class -> this
// thread's list -> done. All else is in functions that are called for it.
//
// Alignment: bw_malloc promises 16 for more than 8 bytes, so it uses no class that is not a
// multiple of 16; bw__alloc8 uses all. Larger alignments: a class whose size is a multiple of it,
// or a span.
//
// The entry points are not to be inlined (even by a linker): they read a thread-local variable, and
// in the middle of a goroutine its address could be kept across a switch to another thread.
#include "alloc/plain_names.h"

#include "alloc/alloc.h"

#include <string.h>

#include "alloc/fast.h"
#include "alloc/heap.h"
#include "alloc/misuse.h"
#include "alloc/object.h"
#include "alloc/pageheap.h"
#include "alloc/profile.h"
#include "port/port.h"

BW_ALLOC_CODE void *bw_malloc(size_t size);
BW_ALLOC_CODE void *bw_calloc(size_t count, size_t size);
BW_ALLOC_CODE void *bw_realloc(void *p, size_t size);
BW_ALLOC_CODE void *bw_aligned_alloc(size_t align, size_t size);
BW_ALLOC_CODE void *bw__alloc8(size_t size);
BW_ALLOC_CODE void *bw__alloc_zeroed(size_t size);
BW_ALLOC_CODE void *bw__alloc_pages(size_t bytes);
BW_ALLOC_CODE static bw__span *alloc_span(size_t bytes, size_t align);
BW_ALLOC_CODE static void *malloc_slow(size_t size);
BW_ALLOC_CODE static void *alloc_large(size_t size);
BW_ALLOC_CODE static void *alloc_coarse(size_t size);
BW_ALLOC_CODE static void *alloc_large_zeroed(size_t size);
BW_ALLOC_CODE static void *alloc_aligned_span(size_t align, size_t size);
BW_ALLOC_CODE static bool resize_in_place(void *p, size_t usable, unsigned size_class, size_t size);

// ---- sizes -------------------------------------------------------------------------------------

static size_t rounded(size_t size, unsigned size_class) {
  if (size_class) return bw__sizeclass_sizes[size_class];
  if (size > SIZE_MAX - BW_PAGE_SIZE) return size;
  return bw__align_up(size, BW_PAGE_SIZE);
}

size_t bw__alloc_round8(size_t size) { return rounded(size, bw__sizeclass_of(size)); }

size_t bw_malloc_good_size(size_t size) { return rounded(size, bw__sizeclass_of16(size)); }

// ---- allocating --------------------------------------------------------------------------------

// A large object; NULL: no memory. When the first try fails this thread's free objects go back:
// they may be all that keeps spans from being joined.
static bw__span *alloc_span(size_t bytes, size_t align) {
  if (bytes > BW_PAGEHEAP_MAX_BYTES || align > BW_PAGEHEAP_MAX_BYTES - bytes) return NULL;
  bw__span *s = bw__pageheap_alloc_aligned(bw__pageheap_pages_for(bytes), align);
  if (!s) {
    bw__cache_flush();
    s = bw__pageheap_alloc_aligned(bw__pageheap_pages_for(bytes), align);
  }
  if (s && BW_UNLIKELY(bw__cache_is_watched())) bw__profile_large(s);
  return s;
}

static BW_NOINLINE void *alloc_large(size_t size) {
  bw__span *s = alloc_span(size, BW_PAGE_SIZE);
  return s ? bw__object_large(s) : NULL;
}

void *bw__alloc_pages(size_t bytes) {
  bw__span *s = alloc_span(bytes, BW_PAGE_SIZE);
  return s ? (void *)s->start : NULL;
}

static inline void *usable(void *object, unsigned c) {
  bw__unpoison(object, object ? bw__sizeclass_sizes[c] : 0);
  return object;
}

static inline void *alloc_class(unsigned c) {
  void *object = bw__cache_pop(bw__cache_mine, c);
  if (BW_LIKELY(object)) return usable(object, c);
  return usable(bw__cache_alloc_slow(c), c);
}

// Sizes above the fine table.
static BW_NOINLINE void *alloc_coarse(size_t size) {
  unsigned c = bw__sizeclass_of_coarse(size);
  return c ? alloc_class(c) : alloc_large(size);
}

static BW_NOINLINE void *malloc_slow(size_t size) {
  if (size > BW_SIZECLASS_FINE_MAX) return alloc_coarse(size);
  unsigned c = bw__sizeclass_fine16[(size + 7) >> 3];
  return usable(bw__cache_alloc_slow(c), c);
}

BW_NOINLINE void *bw_malloc(size_t size) {
  void *p = bw__malloc_fast(size);
  return BW_LIKELY(p) ? p : malloc_slow(size);
}

BW_NOINLINE void *bw__alloc8(size_t size) {
  if (BW_UNLIKELY(size > BW_SIZECLASS_FINE_MAX)) return alloc_coarse(size);
  return alloc_class(bw__sizeclass_fine[(size + 7) >> 3]);
}

// Only the pages that somebody has used before need zeroing.
static void *alloc_large_zeroed(size_t size) {
  bw__span *s = alloc_span(size, BW_PAGE_SIZE);
  if (!s) return NULL;
  size_t dirty = s->dirty << BW_PAGE_SHIFT;
  memset((void *)s->start, 0, dirty < size ? dirty : size);
  return (void *)s->start;
}

void *bw__alloc_zeroed(size_t size) {
  unsigned c = bw__sizeclass_of16(size);
  if (!c) return alloc_large_zeroed(size);
  void *object = bw_malloc(size);
  if (object) memset(object, 0, size);
  return object;
}

void *bw_calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  return bw__alloc_zeroed(bytes);
}

static void *alloc_aligned_span(size_t align, size_t size) {
  bw__span *s = alloc_span(size ? size : 1, align);
  return s ? bw__object_large(s) : NULL;
}

BW_NOINLINE void *bw_aligned_alloc(size_t align, size_t size) {
  if (align == 0 || (align & (align - 1)) != 0) return NULL;
  if (align <= 8) return bw_malloc(size);
  unsigned c = bw__sizeclass_aligned(align, size);
  return c ? alloc_class(c) : alloc_aligned_span(align, size);
}

void *bw__alloc_before_tls(size_t align, size_t size) {
  unsigned c = bw__sizeclass_aligned(align, size);
  return c ? bw__cache_alloc_slow(c) : alloc_aligned_span(align, size);
}

// ---- freeing -----------------------------------------------------------------------------------

// Everything that is not an object of a class.
static BW_NOINLINE void free_large(void *p) {
  if (!p || bw__heap_free(p)) return;
  if (BW_ASAN) bw__poison_freed(p, bw__pageheap_large_bytes(p));
  if (!bw__pageheap_free_large(p)) bw__misuse_pointer("bw_free", p);
}

void bw__free_pages(void *p) {
  if (BW_ASAN) bw__poison_freed(p, bw__pageheap_large_bytes(p));
  size_t bytes = bw__pageheap_free_large(p);
  BW_ASSERT(bytes > 0);
  (void)bytes;
}

// Finds out why the fast path did not take `p`.
BW_NOINLINE void bw__free_slow(void *p) {
  unsigned tag = bw__pagemap_tag((uintptr_t)p), c = bw__pagemap_tag_class(tag);
  if (!c) {
    free_large(p);
    return;
  }
  if (!bw__object_is_in_use(tag, p)) bw__misuse_pointer("bw_free", p);
  bw__poison_freed(p, bw__sizeclass_sizes[c]);
  bw__cache_free_slow(c, p);
}

// What is not the fast path is a call at the end, so that this saves no register.
BW_NOINLINE void bw_free(void *p) {
  if (BW_UNLIKELY(!bw__free_fast(p))) bw__free_slow(p);
}

// ---- sizes of objects, realloc -----------------------------------------------------------------

// Usable bytes at `p`, which is not NULL; *size_class: its class, 0 when large. (An object that the
// heap profile sampled has the class it would have else.)
static size_t size_at(const void *p, unsigned *size_class, const char *function) {
  unsigned tag = bw__pagemap_tag((uintptr_t)p);
  *size_class = bw__pagemap_tag_class(tag);
  size_t bytes = 0;
  if (*size_class) {
    if (bw__object_is_in_use(tag, p)) bytes = bw__sizeclass_sizes[*size_class];
  } else {
    bytes = bw__pageheap_large_usable(p, size_class);
    if (!bytes) bytes = bw__heap_object_bytes(p, size_class);
  }
  if (!bytes) bw__misuse_pointer(function, p);
  return bytes;
}

size_t bw_malloc_usable_size(const void *p) {
  unsigned c;
  return p ? size_at(p, &c, "bw_malloc_usable_size") : 0;
}

// Whether `size` bytes may stay in the `usable` bytes at `p`: they fit and use at least half, or
// the object is large and could be made to fit.
static bool resize_in_place(void *p, size_t usable, unsigned size_class, size_t size) {
  bool fits = size <= usable && size >= usable / 2;
  if (size_class) return fits;
  if (fits && bw__pageheap_pages_for(size) == usable >> BW_PAGE_SHIFT) return true;
  if (size <= BW_SIZECLASS_MAX || size > BW_PAGEHEAP_MAX_BYTES) return false;
  return bw__pageheap_resize_large(p, bw__pageheap_pages_for(size)) ||
         bw__heap_resize_large(p, bw__pageheap_pages_for(size)) || fits;
}

// For what is to replace `p`: it stays in its heap.
static void *alloc_beside(const void *p, size_t size) {
  if (BW_LIKELY(bw__pagemap_tag((uintptr_t)p))) return bw_malloc(size);
  return bw_heap_malloc(bw_heap_of(p), size);
}

// True once bw_realloc had no memory to make an object smaller and left it as it was: after that an
// object may be of any size that fits in it.
static _Atomic(bool) may_be_too_long;

static void *keep_too_long(void *p) {
  bw__store_relaxed(&may_be_too_long, true); // whoever frees p by its size got it after this
  return p;
}

void *bw_realloc(void *p, size_t size) {
  if (!p) return bw_malloc(size);
  if (size == 0) {
    bw_free(p);
    return NULL;
  }
  unsigned c;
  size_t usable = size_at(p, &c, "bw_realloc");
  if (resize_in_place(p, usable, c, size)) return p;
  void *moved = alloc_beside(p, size);
  if (!moved) return size <= usable ? keep_too_long(p) : NULL;
  memcpy(moved, p, size < usable ? size : usable);
  bw_free(p);
  return moved;
}

// ---- freeing by size ---------------------------------------------------------------------------

// Whether `size` may be what the program calls an object of class `size_class` (0: large) and
// `usable` bytes: bw_malloc or bw__alloc8 gives it for that size or, if it `may_have_shrunk`,
// bw_realloc left it where it was.
static bool size_matches(size_t size, unsigned size_class, size_t usable, bool may_have_shrunk) {
  if (size > usable) return false;
  if (may_have_shrunk && (size >= usable / 2 || bw__load_relaxed(&may_be_too_long))) return true;
  if (!size_class) return bw__pageheap_pages_for(size ? size : 1) == usable >> BW_PAGE_SHIFT;
  return size_class == bw__sizeclass_of16(size) || size_class == bw__sizeclass_of(size);
}

static void free_sized(const char *function, void *p, size_t size, bool may_have_shrunk) {
  unsigned c;
  if (!p) return;
  size_t usable = size_at(p, &c, function);
  if (!size_matches(size, c, usable, may_have_shrunk)) bw__misuse_size(function, p, size);
  bw_free(p);
}

BW_NOINLINE void bw_free_sized(void *p, size_t size) { free_sized("bw_free_sized", p, size, true); }

BW_NOINLINE void bw__free_exact(void *p, size_t size) {
  free_sized("operator delete", p, size, false);
}

void bw_free_aligned_sized(void *p, size_t align, size_t size) {
  if (align <= 8) {
    bw_free_sized(p, size);
    return;
  }
  unsigned c;
  if (!p) return;
  size_t usable = size_at(p, &c, "bw_free_aligned_sized");
  // An aligned object may be longer than its size asks for, never shorter.
  if (size > usable || ((uintptr_t)p & (align - 1)) != 0 ||
      (size < usable / 2 && !bw__load_relaxed(&may_be_too_long) &&
       (c ? c != bw__sizeclass_aligned(align, size)
          : bw__pageheap_pages_for(size ? size : 1) != usable >> BW_PAGE_SHIFT)))
    bw__misuse_size("bw_free_aligned_sized", p, size);
  bw_free(p);
}

// ---- looking and releasing ----------------------------------------------------------------------

void bw_alloc_stats_read(bw_alloc_stats *out) {
  bw__cache_totals small;
  uint64_t large_allocs, large_frees;
  memset(out, 0, sizeof *out);
  bw__cache_stats(out, &small);
  bw__central_stats(out);
  bw__pageheap_stats(out);
  bw__pageheap_large_counts(&large_allocs, &large_frees);
  out->mallocs = small.allocs + large_allocs;
  out->frees = small.frees + large_frees;
  out->live_bytes = small.live_bytes + out->large_bytes;
  bw__heaps_stats(out);
  bw__port_mem_info info = bw__port_mem_read();
  out->virtual_bytes = info.virtual_bytes;
  out->resident_bytes = info.resident_bytes;
  out->max_bytes = info.max_bytes;
}

bool bw_alloc_where_is(const void *p, bw_alloc_where *out) {
  return bw__pageheap_where((uintptr_t)p, out);
}

void bw_alloc_walk(bool (*visit)(const bw_alloc_span *span, void *arg), void *arg) {
  bw__pageheap_walk(visit, arg);
}

size_t bw_alloc_release(void) {
  bw__cache_flush();
  return bw__pageheap_release();
}

void bw_alloc_set_limit(uint64_t bytes) { bw__pageheap_set_limit(bytes); }

void bw_alloc_set_release_after(int64_t ns) { bw__pageheap_set_window(ns < 0 ? -1 : ns); }
