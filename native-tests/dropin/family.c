// The malloc family: what each function gives, and errno. Runs natively and on wasm, where it is a
// program of its own (with FAMILY_MAIN).
#include "family.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

// Not in all headers.
void *valloc(size_t size);
void *pvalloc(size_t size);
void *reallocarray(void *p, size_t count, size_t size);
// C23's; weak, for what is linked against an older C library and gets them by LD_PRELOAD.
void free_sized(void *p, size_t size) __attribute__((weak));
void free_aligned_sized(void *p, size_t align, size_t size) __attribute__((weak));

// Sizes that no compiler knows, so that it cannot complain or compute.
static volatile size_t most = SIZE_MAX, too_many = PTRDIFF_MAX;
static volatile size_t zero;

static bool is_aligned(const void *p, size_t align) { return ((uintptr_t)p & (align - 1)) == 0; }

static bool is_all(const void *p, int byte, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (((const unsigned char *)p)[i] != byte) return false;
  return true;
}

static void check_sizes(void) {
  CHECK(free_sized && free_aligned_sized);
  for (size_t n = zero; n < 3000000; n = n < 300 ? n + 1 : n * 17 / 16) {
    char *p = malloc(n), *q = malloc(n), *z = calloc(n, 1);
    CHECK(p && q && z && p != q);
    CHECK(is_aligned(p, n > 8 ? 16 : 8) && is_aligned(z, n > 8 ? 16 : 8));
    CHECK(malloc_usable_size(p) >= n && is_all(z, 0, n));
    memset(p, 0x5a, malloc_usable_size(p));
    memset(q, 0xa5, malloc_usable_size(q));
    CHECK(is_all(p, 0x5a, n) && is_all(q, 0xa5, n));
    p = realloc(p, n * 2 + 1);
    CHECK(p && is_all(p, 0x5a, n));
    p = realloc(p, n / 2 + 1);
    CHECK(p && is_all(p, 0x5a, n < n / 2 + 1 ? n : n / 2 + 1));
    free(p);
    free(q);
    free_sized(z, n);
  }
  CHECK(malloc_usable_size(NULL) == 0);
  free(NULL);
  free_sized(NULL, 7);
  free_aligned_sized(NULL, 16, 7);
}

static void check_alignments(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t align = 1; align <= (size_t)4 << 20; align *= 2) {
    for (size_t n = 1; n < 200000; n = n * 5 + 3) {
      void *p = aligned_alloc(align, n), *q = memalign(align, n), *r = NULL;
      CHECK(p && is_aligned(p, align) && malloc_usable_size(p) >= n);
      CHECK(q && is_aligned(q, align));
      if (align >= sizeof(void *)) {
        CHECK(posix_memalign(&r, align, n) == 0);
        CHECK(r && is_aligned(r, align) && r != p && r != q);
        memset(r, 3, n);
      }
      memset(p, 1, n);
      q = realloc(q, n + 1);
      CHECK(q);
      free_aligned_sized(p, align, n);
      free(q);
      free(r);
    }
  }
  void *v = valloc(10), *w = pvalloc(page + 1);
  CHECK(v && is_aligned(v, page));
  CHECK(w && is_aligned(w, page) && malloc_usable_size(w) >= 2 * page);
  free(v);
  free(w);
  v = memalign(48, 100); // taken for 64
  CHECK(v && is_aligned(v, 64));
  free(v);
  v = memalign(zero, 100);
  CHECK(v);
  free(v);
}

#define FAILS(call, code)                                                                          \
  do {                                                                                             \
    errno = 0;                                                                                     \
    CHECK(!(call));                                                                                \
    CHECK(errno == (code));                                                                        \
  } while (0)

static void check_failures(void) {
  void *out = &out, *kept = malloc(100);
  memset(kept, 7, 100);
  FAILS(malloc(most), ENOMEM);
  FAILS(malloc(too_many + 1), ENOMEM);
  FAILS(calloc(most / 2, 3), ENOMEM);
  FAILS(calloc(too_many, 1), ENOMEM);
  FAILS(realloc(kept, most), ENOMEM);
  FAILS(reallocarray(kept, most / 2, 3), ENOMEM);
  FAILS(aligned_alloc(3, 12), EINVAL);
  FAILS(aligned_alloc(zero, 12), EINVAL);
  FAILS(aligned_alloc(64, most), ENOMEM);
  FAILS(memalign(most, 12), EINVAL);
  FAILS(memalign(64, most - 63), ENOMEM);
  FAILS(valloc(most), ENOMEM);
  FAILS(pvalloc(most), ENOMEM);
  errno = 4711;
  CHECK(posix_memalign(&out, 12, 1) == EINVAL && posix_memalign(&out, 0, 1) == EINVAL);
  CHECK(posix_memalign(&out, sizeof(void *) / 2, 1) == EINVAL);
  CHECK(posix_memalign(&out, 64, most) == ENOMEM);
  CHECK(out == &out && errno == 4711); // neither is touched
  CHECK(is_all(kept, 7, 100));
  CHECK(!realloc(kept, zero) && errno == 4711);
  kept = reallocarray(NULL, 3, 5);
  CHECK(kept && malloc_usable_size(kept) >= 15);
  CHECK(!reallocarray(kept, zero, 5) && errno == 4711);
}

static void check_errno_of_free(void) {
  void *p[64];
  for (size_t i = 0; i < 64; i++) p[i] = malloc((size_t)1 << (i % 24));
  errno = 4711;
  for (size_t i = 0; i < 64; i++) free(p[i]);
  CHECK(errno == 4711);
}

void family(void) {
  check_sizes();
  check_alignments();
  check_failures();
  check_errno_of_free();
}

#ifdef FAMILY_MAIN
int main(void) {
  family();
  puts("passed");
  return 0;
}
#endif
