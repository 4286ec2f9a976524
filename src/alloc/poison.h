// What AddressSanitizer is told about the program's objects, in its builds only: freed memory is
// out of bounds until it is handed out again, but for the word that links free objects.
#ifndef BURROW_ALLOC_POISON_H
#define BURROW_ALLOC_POISON_H

#include "base/config.h"

#if BW_ASAN
#include <sanitizer/asan_interface.h>

static inline void bw__poison_freed(void *p, size_t size) {
  if (size > sizeof(void *))
    __asan_poison_memory_region((char *)p + sizeof(void *), size - sizeof(void *));
}

// A whole span, in which no chain is left.
static inline void bw__poison_span(void *p, size_t size) { __asan_poison_memory_region(p, size); }

static inline void bw__unpoison(void *p, size_t size) { __asan_unpoison_memory_region(p, size); }
#else
static inline void bw__poison_freed(void *p, size_t size) {
  (void)p;
  (void)size;
}

static inline void bw__poison_span(void *p, size_t size) {
  (void)p;
  (void)size;
}

static inline void bw__unpoison(void *p, size_t size) {
  (void)p;
  (void)size;
}
#endif

#endif
