// On wasm Burrow's allocator is the program's malloc, and its only one: the page heap calls
// memory.grow itself, and two owners of the end of linear memory would corrupt each other. Natively
// this file is not built.
//
// Emscripten reaches the allocator under emscripten_builtin_ names as well, for memory that must
// not go through a malloc the program may have wrapped. A thread's first allocation can be the
// block for its thread-local variables (when the block does not come with the thread): it must not
// look for a thread cache, since reading one reads a variable that is not there yet.
#include <errno.h>
#include <stdlib.h>

#include <burrow/alloc.h>

#include "alloc/alloc.h"
#include "base/config.h"

#define EXPORTED __attribute__((visibility("default")))

static void *or_enomem(void *p) {
  if (BW_UNLIKELY(!p)) errno = ENOMEM;
  return p;
}

EXPORTED void *malloc(size_t size) { return or_enomem(bw_malloc(size)); }

EXPORTED void free(void *p) { bw_free(p); }

EXPORTED void *calloc(size_t count, size_t size) { return or_enomem(bw_calloc(count, size)); }

// realloc(p, 0) frees p and returns NULL without an error, as glibc does.
EXPORTED void *realloc(void *p, size_t size) {
  void *moved = bw_realloc(p, size);
  return size == 0 && p ? NULL : or_enomem(moved);
}

void *reallocarray(void *p, size_t count, size_t size);
EXPORTED void *reallocarray(void *p, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return or_enomem(NULL);
  return realloc(p, bytes);
}

EXPORTED void *aligned_alloc(size_t align, size_t size) {
  if (align == 0 || (align & (align - 1)) != 0) {
    errno = EINVAL;
    return NULL;
  }
  return or_enomem(bw_aligned_alloc(align, size));
}

void *memalign(size_t align, size_t size);
EXPORTED void *memalign(size_t align, size_t size) { return aligned_alloc(align, size); }

EXPORTED int posix_memalign(void **out, size_t align, size_t size) {
  if (align < sizeof(void *) || (align & (align - 1)) != 0) return EINVAL;
  void *p = bw_aligned_alloc(align, size);
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

size_t malloc_usable_size(void *p);
EXPORTED size_t malloc_usable_size(void *p) { return bw_malloc_usable_size(p); }

#if BW_THREADS // Emscripten
void *emscripten_builtin_malloc(size_t size);
void emscripten_builtin_free(void *p);
void *emscripten_builtin_calloc(size_t count, size_t size);
void *emscripten_builtin_realloc(void *p, size_t size);
void *emscripten_builtin_memalign(size_t align, size_t size);

EXPORTED void *emscripten_builtin_malloc(size_t size) { return malloc(size); }

EXPORTED void emscripten_builtin_free(void *p) { bw_free(p); }

EXPORTED void *emscripten_builtin_calloc(size_t count, size_t size) { return calloc(count, size); }

EXPORTED void *emscripten_builtin_realloc(void *p, size_t size) { return realloc(p, size); }

EXPORTED void *emscripten_builtin_memalign(size_t align, size_t size) {
  if (!__builtin_wasm_tls_base())
    return bw__alloc_before_tls(align, size); // errno is not there yet
  return memalign(align, size);
}
#endif
