// Linear memory at its limits, for wasm-tests/c-memory.test.mjs, which runs modules of this program
// with different maxima: MEMORY full MB, where the maximum is about MB, or MEMORY big.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <burrow/alloc.h>

#include "alloc/pageheap.h"

#define KB ((size_t)1 << 10)
#define MB ((size_t)1 << 20)

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);                \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

// Blocks linked through their first words.
typedef struct block {
  struct block *next;
  size_t size;
} block;

static block *all;
static size_t held; // bytes

// Of long blocks only the ends are used: memory that nobody touches costs nothing.
static void fill(unsigned char *p, size_t from, size_t to) {
  size_t n = to - from, part = n < 64 * KB ? n : 64 * KB;
  memset(p + from, (int)(to % 251), part);
  memset(p + to - part, (int)(to % 251), part);
}

static bool is_filled(const unsigned char *p, size_t from, size_t to) {
  size_t n = to - from, part = n < 64 * KB ? n : 64 * KB;
  for (size_t i = 0; i < part; i++)
    if (p[from + i] != to % 251 || p[to - 1 - i] != to % 251) return false;
  return true;
}

static bool take(size_t size) {
  block *b = bw_malloc(size);
  if (!b) return false;
  *b = (block){all, size};
  all = b;
  held += size;
  fill((unsigned char *)b, sizeof *b, size);
  return true;
}

static void free_all(void) {
  while (all) {
    block *b = all;
    CHECK(is_filled((unsigned char *)b, sizeof *b, b->size));
    all = b->next;
    bw_free(b);
  }
  held = 0;
}

static void take_all(size_t most) {
  for (size_t size = most; size >= 64; size /= 2)
    while (take(size)) {}
}

static void check_books(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  CHECK(s.system_bytes == s.heap_free_bytes + s.heap_used_bytes + s.metadata_bytes);
  CHECK(bw__pageheap_valid());
}

// ---- a small maximum ---------------------------------------------------------------------------

// Nothing more is to be had, and that does no harm.
static void check_full(void) {
  unsigned char *p = (unsigned char *)all;
  CHECK(!bw_malloc(64 * KB) && !bw_calloc(40000, 2) && !bw_aligned_alloc(64 * KB, MB));
  CHECK(!bw_realloc(p, 3000 * MB / 2) && !bw_realloc(p, MB));
  CHECK(is_filled(p, sizeof(block), all->size));
  CHECK(!bw_malloc((size_t)-1) && !bw_malloc((size_t)1 << 31));
  check_books();
}

static void run_full(size_t max) {
  size_t first = 0;
  for (int round = 0; round < 3; round++) {
    take_all(MB << round);
    size_t total = held;
    CHECK(total > max / 2 && total < max);
    if (round == 0) first = total;
    CHECK(total > first - first / 16);
    check_full();
    for (int i = 0; i < 3; i++) { // what is freed serves again
      block *b = all;
      all = b->next;
      held -= b->size;
      bw_free(b);
      CHECK(take(64));
    }
    free_all();
    bw_alloc_release();
    check_books();
  }
  printf("took %zu KB\n", first / KB);
}

// ---- more than 2 GB ----------------------------------------------------------------------------

#define HALF ((uintptr_t)1 << 31)

static bool is_above(const void *p) { return (uintptr_t)p >= HALF; }

// Everything works with addresses whose highest bit is set. Of free memory there is only what lies
// above.
static void use_above(void) {
  enum { N = 2000 };
  static unsigned char *p[N];
  int above = 0;
  for (int i = 0; i < N; i++) {
    size_t size = (size_t)i * 17 % 5000 + 16;
    CHECK((p[i] = i % 2 ? bw_malloc(size) : bw_calloc(1, size)));
    above += is_above(p[i]);
    memset(p[i], i, size);
  }
  CHECK(above > N / 2);
  for (int i = 0; i < N; i++) {
    size_t size = (size_t)i * 17 % 5000 + 16;
    bw_alloc_where where;
    CHECK(bw_alloc_where_is(p[i] + size - 1, &where));
    CHECK(where.span_start + where.object_index * where.object_size == (uintptr_t)p[i]);
    CHECK((p[i] = bw_realloc(p[i], size * 3)));
    CHECK(p[i][0] == i % 256 && p[i][size - 1] == i % 256);
    bw_free(p[i]);
  }
  unsigned char *large = bw_malloc(3 * MB);
  CHECK(is_above(large));
  memset(large, 1, 3 * MB);
  CHECK((large = bw_realloc(large, 12 * MB)) && large[0] == 1 && large[3 * MB - 1] == 1);
  CHECK((large = bw_realloc(large, 2 * MB)) && large[2 * MB - 1] == 1);
  bw_free(large);
  CHECK(is_above(large = bw_aligned_alloc(MB, 5 * MB)) && (uintptr_t)large % MB == 0);
  memset(large, 2, 5 * MB);
  bw_free(large);
}

static void use_whole(size_t size) {
  void *whole = bw_malloc(size);
  CHECK(whole);
  fill(whole, 0, size);
  CHECK(is_filled(whole, 0, size));
  bw_free(whole);
}

static void run_big(void) {
  use_whole(2000 * MB);
  while (take(64 * MB)) {}
  printf("took %zu MB\n", held / MB);
  CHECK(held / MB >= 3800);
  CHECK(is_above(all));
  check_books();
  block *top = all; // the last that came
  all = top->next;
  take_all(32 * MB); // and what is left elsewhere
  bw_free(top);
  use_above();
  check_books();
  free_all();
  use_whole(1000 * MB); // pieces were joined
  check_books();
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "full") == 0)
    run_full((size_t)strtol(argv[2], NULL, 10) * MB);
  else if (argc == 2 && strcmp(argv[1], "big") == 0)
    run_big();
  else
    return 2;
  return 0;
}
