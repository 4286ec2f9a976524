// A model test: random calls, checked against a shadow that knows every block's address, size and
// content. Afterwards the allocator's own books must agree.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/pageheap.h"
#include "alloc/sizeclass.h"
#include "base/rand.h"

typedef struct {
  unsigned char *p;
  size_t size, align;
  unsigned char mark;
} block;

enum { BLOCKS = 1500 };

static block blocks[BLOCKS];
static bw__rand rng;

// Mostly small, sometimes pages, rarely megabytes: log-uniform in each.
static size_t pick_size(void) {
  uint32_t kind = bw__rand_below(&rng, 100);
  unsigned bits = kind < 85   ? bw__rand_below(&rng, 11)
                  : kind < 98 ? 11 + bw__rand_below(&rng, 6)
                              : 17 + bw__rand_below(&rng, 5);
  return ((size_t)1 << bits) + bw__rand_below(&rng, 1u << bits) - 1;
}

// The content is a function of place and mark; of long blocks only some bytes are looked at.
static size_t step_of(size_t size) { return size < 4096 ? 1 : 509; }

static void fill(block *b, size_t from) {
  for (size_t i = from; i < b->size; i++) b->p[i] = (unsigned char)(b->mark + i);
}

static void check_content(const block *b, size_t size) {
  for (size_t i = 0; i < size; i += step_of(size)) CHECK_EQ(b->p[i], (unsigned char)(b->mark + i));
  if (size) CHECK_EQ(b->p[size - 1], (unsigned char)(b->mark + size - 1));
}

static void check_block(const block *b) {
  size_t usable = bw_malloc_usable_size(b->p);
  bw_alloc_where where;
  CHECK(usable >= b->size);
  CHECK_EQ((uintptr_t)b->p % b->align, 0);
  CHECK(bw_alloc_where_is(b->p + (b->size ? b->size - 1 : 0), &where));
  if (BW_ALLOC_DEBUG) {
    CHECK(where.object_size > usable); // with what is around it
  } else {
    CHECK_EQ(where.object_size, usable);
    CHECK_EQ(where.span_start + where.object_index * usable, (uintptr_t)b->p);
  }
  CHECK(where.span_in_use >= 1 && where.span_in_use <= where.span_objects);
}

static void allocate(block *b) {
  b->size = pick_size();
  b->mark = (unsigned char)bw__rand_next(&rng);
  b->align = b->size > 8 ? 16 : 8;
  switch (bw__rand_below(&rng, 4)) {
  case 0:
    b->p = bw_calloc(1, b->size);
    CHECK(b->p);
    for (size_t i = 0; i < b->size; i += step_of(b->size)) CHECK_EQ(b->p[i], 0);
    break;
  case 1:
    b->align = (size_t)1 << bw__rand_below(&rng, 16);
    b->p = bw_aligned_alloc(b->align, b->size);
    break;
  case 2:
    b->align = 8;
    b->p = bw__alloc8(b->size);
    break;
  default: b->p = bw_malloc(b->size); break;
  }
  CHECK(b->p);
  fill(b, 0);
}

static void reallocate(block *b) {
  size_t old = b->size;
  b->size = pick_size();
  b->p = bw_realloc(b->p, b->size);
  if (!b->p) { // size 0
    CHECK_EQ(b->size, 0);
    return;
  }
  b->align = 8;
  check_content(b, old < b->size ? old : b->size);
  if (old < b->size) fill(b, old);
}

static void release(block *b) {
  check_content(b, b->size);
  bw_free(b->p);
  b->p = NULL;
}

static int by_address(const void *a, const void *b) {
  uintptr_t x = (uintptr_t)((const block *)a)->p, y = (uintptr_t)((const block *)b)->p;
  return x < y ? -1 : x > y;
}

static void check_no_overlap(void) {
  static block sorted[BLOCKS];
  memcpy(sorted, blocks, sizeof sorted);
  qsort(sorted, BLOCKS, sizeof sorted[0], by_address);
  for (int i = 1; i < BLOCKS; i++)
    if (sorted[i - 1].p)
      CHECK(sorted[i - 1].p + bw_malloc_usable_size(sorted[i - 1].p) <= sorted[i].p);
}

static void check_books(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  CHECK_EQ(s.system_bytes, s.heap_free_bytes + s.heap_used_bytes + s.metadata_bytes);
  CHECK(bw__pageheap_valid());
}

TEST(alloc_model) {
  int rounds = test_is_slow_build() ? 20000 : 120000;
  rng.state = 42;
  for (int i = 0; i < rounds; i++) {
    block *b = &blocks[bw__rand_below(&rng, BLOCKS)];
    uint32_t what = bw__rand_below(&rng, 10);
    if (!b->p)
      allocate(b);
    else if (what < 3)
      reallocate(b);
    else if (what < 8)
      release(b);
    if (b->p) check_block(b);
    if (i % (rounds / 10) == 0) {
      check_books();
      check_no_overlap();
    }
  }
  for (int i = 0; i < BLOCKS; i++)
    if (blocks[i].p) release(&blocks[i]);
  check_books();
}

// Many live blocks of every class at once, freed in another order than they were made.
TEST(alloc_model_every_class) {
  enum { EACH = 300, OF_THE_LARGEST = 30, CLASSES = BW_SIZECLASS_COUNT };
  static unsigned char *p[CLASSES][EACH];
  for (int i = 0; i < EACH; i++)
    for (int c = 1; c < CLASSES; c++) {
      size_t size = bw_size_class_at(c).size;
      if (size > 32768 && i >= OF_THE_LARGEST) continue;
      p[c][i] = bw__alloc8(size);
      CHECK(p[c][i]);
      CHECK_EQ(bw_malloc_usable_size(p[c][i]), size);
      p[c][i][0] = p[c][i][size - 1] = (unsigned char)(c + i);
    }
  for (int c = 1; c < CLASSES; c++)
    for (int i = EACH; i-- > 0;) {
      size_t size = bw_size_class_at(c).size;
      if (!p[c][i]) continue;
      CHECK_EQ(p[c][i][0], (unsigned char)(c + i));
      CHECK_EQ(p[c][i][size - 1], (unsigned char)(c + i));
      bw_free(p[c][i]);
    }
  check_books();
}
