// What Emscripten expects of its malloc besides C's names.
//
// emscripten_builtin_: memory that must not go through a malloc the program may have wrapped. A
// thread's first allocation can be the block for its thread-local variables (when the block does
// not come with the thread): it must not look for a thread cache, since reading one reads a
// variable that is not there yet.
//
// sbrk: the page heap owns the end of linear memory, so this asks it. It cannot give back, and two
// calls give memory that touches only when malloc has not grown in between.
#include <errno.h>
#include <malloc.h>
#include <unistd.h>

#include <burrow/alloc.h>

#include "alloc/alloc.h"
#include "alloc/pageheap.h"
#include "base/config.h"
#include "entry/enomem.h"
#include "port/wasm/memory.h"

static bool before_tls(void) {
#if BW_THREADS
  return !__builtin_wasm_tls_base();
#else
  return false;
#endif
}

// ---- emscripten_builtin_ and __libc_ ------------------------------------------------------------

void *emscripten_builtin_malloc(size_t size);
void emscripten_builtin_free(void *p);
void *emscripten_builtin_calloc(size_t count, size_t size);
void *emscripten_builtin_realloc(void *p, size_t size);
void *emscripten_builtin_memalign(size_t align, size_t size);

void *emscripten_builtin_malloc(size_t size) { return bw__or_enomem(bw_malloc(size)); }

void emscripten_builtin_free(void *p) { bw_free(p); }

void *emscripten_builtin_calloc(size_t count, size_t size) {
  return bw__or_enomem(bw_calloc(count, size));
}

void *emscripten_builtin_realloc(void *p, size_t size) { return bw__realloc_or_enomem(p, size); }

void *emscripten_builtin_memalign(size_t align, size_t size) {
  if (before_tls()) return bw__alloc_before_tls(align, size); // errno is not there yet
  return bw__or_enomem(bw_aligned_alloc(align, size));
}

// musl's names for the same.
void *__libc_malloc(size_t size) __attribute__((alias("emscripten_builtin_malloc")));
void __libc_free(void *p) __attribute__((alias("emscripten_builtin_free")));
void *__libc_calloc(size_t count, size_t size) __attribute__((alias("emscripten_builtin_calloc")));
void *__libc_realloc(void *p, size_t size) __attribute__((alias("emscripten_builtin_realloc")));

// ---- sbrk ---------------------------------------------------------------------------------------

enum { SBRK_ALIGN = 16 }; // Emscripten's, of any increment

void *_sbrk64(int64_t increment);
uintptr_t *emscripten_get_sbrk_ptr(void);

// In 64 bits: with 4 GB of memory an increment may be above PTRDIFF_MAX.
void *_sbrk64(int64_t increment) {
  void *p = NULL;
  if (increment >= 0 && increment <= (int64_t)(SIZE_MAX - SBRK_ALIGN))
    p = bw__pageheap_sbrk(bw__align_up((size_t)increment, SBRK_ALIGN));
  if (p) return p;
  errno = ENOMEM;
  return (void *)-1;
}

void *sbrk(intptr_t increment) { return _sbrk64(increment); }

int brk(void *end) {
  int64_t more = (int64_t)(uintptr_t)end - (int64_t)(uintptr_t)sbrk(0);
  return _sbrk64(more) == (void *)-1 ? -1 : 0;
}

// Start-up code moves it by hand, before the first allocation; see port/wasm/memory.c.
uintptr_t *emscripten_get_sbrk_ptr(void) { return bw__port_mem_break(); }

// ---- tuning and numbers -------------------------------------------------------------------------

int malloc_trim(size_t keep);

struct mallinfo mallinfo(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return (struct mallinfo){
      .arena = (size_t)s.system_bytes,
      .ordblks = (size_t)s.heap_free_spans,
      .uordblks = (size_t)s.live_bytes,
      .fordblks = (size_t)(s.heap_free_bytes + s.central_free_bytes + s.cache_free_bytes),
  };
}

int malloc_trim(size_t keep) {
  (void)keep;
  return bw_alloc_release() > 0;
}

int mallopt(int option, int value) {
  (void)option;
  (void)value;
  return 1; // there is nothing to tune, and nothing wrong with the wish
}
