// For the instruction counts: COUNT N runs one loop of calls N times, all on the fast path. What N
// calls more cost is what the fast path costs (count.cmake).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <burrow/alloc.h>

static void pairs(size_t size, long n) {
  for (long i = 0; i < n; i++) bw_free(bw_malloc(size));
}

static void sized(size_t size, long n) {
  for (long i = 0; i < n; i++) bw_free_sized(bw_malloc(size), size);
}

static void aligned(size_t size, long n) {
  for (long i = 0; i < n; i++) bw_free(bw_aligned_alloc(64, size));
}

static void zeroed(size_t size, long n) {
  for (long i = 0; i < n; i++) bw_free(bw_calloc(1, size));
}

static void resized(size_t size, long n) {
  void *p = bw_malloc(size);
  for (long i = 0; i < n; i++) p = bw_realloc(p, size - (i & 1));
  bw_free(p);
}

typedef struct {
  const char *name;
  void (*run)(size_t size, long n);
} loop;

static const loop loops[] = {
    {"pairs", pairs},   {"sized", sized},     {"aligned", aligned},
    {"zeroed", zeroed}, {"resized", resized},
};

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  size_t size = (size_t)strtol(argv[2], NULL, 10);
  for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
    if (strcmp(argv[1], loops[i].name) == 0) {
      bw_free(bw_malloc(size)); // the thread's cache and the list are there
      loops[i].run(size, strtol(argv[3], NULL, 10));
      return 0;
    }
  fprintf(stderr, "no such loop: %s\n", argv[1]);
  return 2;
}
