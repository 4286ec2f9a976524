// The malloc family under its C names.
//
// On wasm this is part of the library, since there Burrow's allocator is the program's malloc, and
// its only one: the page heap calls memory.grow itself, and two owners of the end of linear memory
// would corrupt each other. Natively it is part of libburrow_malloc.so only: who links the library
// keeps the C library's malloc.
//
// Rules: what glibc does where POSIX and C leave a choice. free leaves errno as it is (POSIX 2024).
// All names are weak, as the C library's are: a program may have a malloc of its own around ours.
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <burrow/alloc.h>

#include "alloc/alloc.h"
#include "alloc/fast.h"
#include "base/config.h"
#include "entry/enomem.h"

#define EXPORTED BW_ALLOC_CODE __attribute__((visibility("default"), weak))

// Not in every C library's headers.
void *memalign(size_t align, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
void *reallocarray(void *p, size_t count, size_t size);
size_t malloc_usable_size(void *p);
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);

static bool is_power_of_two(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

BW_ALLOC_CODE static BW_NOINLINE void *malloc_slow(size_t size) {
  return bw__or_enomem(bw_malloc(size));
}

EXPORTED BW_NOINLINE void *malloc(size_t size) {
  void *p = bw__malloc_hit(size);
  return BW_LIKELY(p) ? p : malloc_slow(size);
}

EXPORTED BW_NOINLINE void free(void *p) {
  if (BW_UNLIKELY(!bw__free_hit(p))) bw__free_slow(p);
}

EXPORTED void *calloc(size_t count, size_t size) { return bw__or_enomem(bw_calloc(count, size)); }

EXPORTED void *realloc(void *p, size_t size) { return bw__realloc_or_enomem(p, size); }

EXPORTED void *reallocarray(void *p, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return bw__or_enomem(NULL);
  return bw__realloc_or_enomem(p, bytes);
}

// ---- alignment ----------------------------------------------------------------------------------

static void *aligned(size_t align, size_t size) {
  if (is_power_of_two(align)) return bw__or_enomem(bw_aligned_alloc(align, size));
  errno = EINVAL;
  return NULL;
}

EXPORTED void *aligned_alloc(size_t align, size_t size) { return aligned(align, size); }

// Takes an alignment that is no power of two for the next one.
EXPORTED void *memalign(size_t align, size_t size) {
  size_t next = sizeof(void *);
  while (next < align && next <= SIZE_MAX / 2) next *= 2;
  return aligned(next < align ? 0 : next, size);
}

EXPORTED int posix_memalign(void **out, size_t align, size_t size) {
  if (align < sizeof(void *) || !is_power_of_two(align)) return EINVAL;
  void *p = bw_aligned_alloc(align, size);
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

static size_t page(void) { return (size_t)sysconf(_SC_PAGESIZE); }

EXPORTED void *valloc(size_t size) { return aligned(page(), size); }

// Whole pages.
EXPORTED void *pvalloc(size_t size) {
  if (size > SIZE_MAX - page()) return bw__or_enomem(NULL);
  return aligned(page(), bw__align_up(size, page()));
}

// ---- sizes --------------------------------------------------------------------------------------

EXPORTED size_t malloc_usable_size(void *p) { return bw_malloc_usable_size(p); }

EXPORTED void free_sized(void *p, size_t size) { bw_free_sized(p, size); }

EXPORTED void free_aligned_sized(void *p, size_t align, size_t size) {
  bw_free_aligned_sized(p, align, size);
}
