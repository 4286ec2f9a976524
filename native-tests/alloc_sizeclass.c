// The size map of the table that the library is built with, through the public functions and by
// what is really given. (The tables themselves: alloc_sizeclass_go67.c, _go66.c, _tcmalloc85.c.)
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/sizeclass.h"

enum { BEYOND = BW_SIZECLASS_MAX + 1000 };

TEST(alloc_sizeclass_out_of_range_is_class_0) {
  int outside[] = {-1, 0, BW_SIZECLASS_COUNT, 1000000, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
    bw_size_class row = bw_size_class_at(outside[i]);
    CHECK(row.size == 0 && row.span_bytes == 0 && row.objects == 0 && row.max_waste == 0);
  }
}

TEST(alloc_sizeclass_of_the_build) {
  CHECK_EQ(bw_size_class_count(), BW_SIZECLASS_COUNT);
  CHECK_EQ(bw_size_class_at(BW_SIZECLASS_COUNT - 1).size, BW_SIZECLASS_MAX);
  if (strcmp(BW_SIZECLASS_TABLE_NAME, "go67") == 0)
    CHECK_EQ(BW_SIZECLASS_COUNT, 68);
  else if (strcmp(BW_SIZECLASS_TABLE_NAME, "go66") == 0)
    CHECK_EQ(BW_SIZECLASS_COUNT, 67);
  else
    CHECK_EQ(BW_SIZECLASS_COUNT, 86);
}

// The smallest class that holds a size, searched for.
static int class_by_search(size_t size, unsigned align) {
  for (int c = 1; c < bw_size_class_count(); c++) {
    uint32_t room = bw_size_class_at(c).size;
    if (room >= size && (size <= 8 || room % align == 0)) return c;
  }
  return 0;
}

TEST(alloc_sizeclass_of_every_size) {
  for (size_t size = 0; size <= BEYOND; size++) {
    int c = class_by_search(size, 8), c16 = class_by_search(size, 16);
    CHECK_EQ(bw_size_class_of(size), c);
    size_t pages = (size + 8191) / 8192 * 8192;
    CHECK_EQ(bw__alloc_round8(size), c ? bw_size_class_at(c).size : pages);
    if (BW_ALLOC_DEBUG)
      CHECK_EQ(bw_malloc_good_size(size), size);
    else
      CHECK_EQ(bw_malloc_good_size(size), c16 ? bw_size_class_at(c16).size : pages);
  }
  CHECK_EQ(bw_size_class_of(SIZE_MAX), 0);
}

TEST(alloc_sizeclass_round_near_overflow) {
  CHECK_EQ(bw__alloc_round8(SIZE_MAX), SIZE_MAX);
  CHECK_EQ(bw__alloc_round8(SIZE_MAX - 8190), SIZE_MAX - 8190);
  CHECK_EQ(bw__alloc_round8(SIZE_MAX - 8192 - 5), SIZE_MAX - 8191);
  CHECK_EQ(bw__alloc_round8(SIZE_MAX / 2 + 1), SIZE_MAX / 2 + 1);
}

// What is really given: size, alignment, usable bytes.
TEST(alloc_sizeclass_given) {
  SKIP_IN_ALLOC_DEBUG("usable sizes are those asked for");
  for (size_t size = 0; size <= BEYOND; size += 1 + size / 1000) {
    void *p = bw_malloc(size), *q = bw__alloc8(size);
    CHECK(p && q);
    CHECK_EQ(bw_malloc_usable_size(p), size ? bw_malloc_good_size(size) : 8);
    CHECK_EQ(bw_malloc_usable_size(q), size ? bw__alloc_round8(size) : 8);
    CHECK_EQ((uintptr_t)p % (size > 8 ? 16 : 8), 0);
    CHECK_EQ((uintptr_t)q % 8, 0);
    memset(p, 0xa5, size);
    memset(q, 0x5a, size);
    bw_free(p);
    bw_free(q);
  }
}
