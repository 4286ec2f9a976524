// glibc's malloc names beyond the family: numbers, tuning, and its internal aliases, which old
// programs call. In libburrow_malloc.so only.
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <burrow/alloc.h>

#include "alloc/alloc.h"
#include "alloc/misuse.h"
#include "base/text.h"
#include "port/port.h"

#define EXPORTED __attribute__((visibility("default")))

// ---- misuse -------------------------------------------------------------------------------------

// As glibc's: abort, so that there is a core dump and a debugger stops.
static void abort_program(const char *text) {
  bw__misuse_print(text);
  abort();
}

__attribute__((constructor(101))) static void choose_fatal(void) {
  bw__alloc_fatal = abort_program;
}

// ---- numbers ------------------------------------------------------------------------------------

static bw_alloc_stats read_stats(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s;
}

static uint64_t free_bytes(const bw_alloc_stats *s) {
  return s->heap_free_bytes + s->central_free_bytes + s->cache_free_bytes;
}

// One arena; large objects are not counted as mapped ones, since they lie in the same heap.
EXPORTED struct mallinfo2 mallinfo2(void) {
  bw_alloc_stats s = read_stats();
  return (struct mallinfo2){
      .arena = s.system_bytes - s.released_bytes,
      .ordblks = s.heap_free_spans,
      .fsmblks = s.central_free_bytes + s.cache_free_bytes,
      .uordblks = s.live_bytes,
      .fordblks = free_bytes(&s),
      .keepcost = s.heap_free_bytes - s.released_bytes,
  };
}

static int as_int(size_t n) { return n > INT32_MAX ? INT32_MAX : (int)n; }

EXPORTED struct mallinfo mallinfo(void) {
  struct mallinfo2 m = mallinfo2();
  return (struct mallinfo){
      .arena = as_int(m.arena),
      .ordblks = as_int(m.ordblks),
      .fsmblks = as_int(m.fsmblks),
      .uordblks = as_int(m.uordblks),
      .fordblks = as_int(m.fordblks),
      .keepcost = as_int(m.keepcost),
  };
}

EXPORTED void malloc_stats(void) {
  bw_alloc_stats s = read_stats();
  char buffer[600];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "burrow malloc: bytes\n");
  const struct {
    const char *name;
    uint64_t value;
  } rows[] = {
      {"from the system", s.system_bytes},
      {"  given back", s.released_bytes},
      {"  own records", s.metadata_bytes},
      {"in use", s.live_bytes},
      {"  large objects", s.large_bytes},
      {"free pages", s.heap_free_bytes},
      {"free in size classes", s.central_free_bytes},
      {"free in thread caches", s.cache_free_bytes},
      {"thread caches (number)", s.caches},
      {"allocations (number)", s.mallocs},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    bw__text_format(&t, "%s: %lld\n", rows[i].name, (long long)rows[i].value);
  bw__port_write(2, t.data, t.len);
}

// BURROW_MALLOC_STATS=1: the table when the program ends.
__attribute__((destructor)) static void print_at_end(void) {
  const char *wanted = bw__port_env("BURROW_MALLOC_STATS");
  if (wanted && *wanted) malloc_stats();
}

EXPORTED int malloc_info(int options, FILE *out) {
  if (options != 0) return EINVAL;
  bw_alloc_stats s = read_stats();
  int printed = fprintf(out,
                        "<malloc version=\"burrow-1\">\n"
                        "<heap nr=\"0\">\n"
                        "<total type=\"used\" count=\"%llu\" size=\"%llu\"/>\n"
                        "<total type=\"free\" count=\"%llu\" size=\"%llu\"/>\n"
                        "</heap>\n"
                        "<system type=\"current\" size=\"%llu\"/>\n"
                        "<system type=\"max\" size=\"%llu\"/>\n"
                        "</malloc>\n",
                        (unsigned long long)(s.mallocs - s.frees), (unsigned long long)s.live_bytes,
                        (unsigned long long)s.heap_free_spans, (unsigned long long)free_bytes(&s),
                        (unsigned long long)(s.system_bytes - s.released_bytes),
                        (unsigned long long)s.system_bytes);
  return printed < 0 ? -1 : 0;
}

// ---- tuning -------------------------------------------------------------------------------------

EXPORTED int malloc_trim(size_t keep) {
  (void)keep;
  return bw_alloc_release() > 0;
}

EXPORTED int mallopt(int option, int value) {
  (void)option;
  (void)value;
  return 1; // there is nothing to tune, and nothing wrong with the wish
}

// ---- internal names -----------------------------------------------------------------------------

#define NAMED(name) __asm__(name) __attribute__((visibility("default")))

void *libc_malloc(size_t size) NAMED("__libc_malloc");
void libc_free(void *p) NAMED("__libc_free");
void *libc_calloc(size_t count, size_t size) NAMED("__libc_calloc");
void *libc_realloc(void *p, size_t size) NAMED("__libc_realloc");
void *libc_memalign(size_t align, size_t size) NAMED("__libc_memalign");
void *libc_valloc(size_t size) NAMED("__libc_valloc");
void *libc_pvalloc(size_t size) NAMED("__libc_pvalloc");
int libc_posix_memalign(void **out, size_t align, size_t size) NAMED("__posix_memalign");

void *libc_malloc(size_t size) { return malloc(size); }
void libc_free(void *p) { bw_free(p); }
void *libc_calloc(size_t count, size_t size) { return calloc(count, size); }
void *libc_realloc(void *p, size_t size) { return realloc(p, size); }
void *libc_memalign(size_t align, size_t size) { return memalign(align, size); }
void *libc_valloc(size_t size) { return valloc(size); }
void *libc_pvalloc(size_t size) { return pvalloc(size); }
int libc_posix_memalign(void **out, size_t align, size_t size) {
  return posix_memalign(out, align, size);
}
