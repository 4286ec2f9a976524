// What must hold for every size-class table. Each table has a test file, which defines
// BW_SIZECLASS_TABLE and includes this: the columns are then that file's own, and the functions of
// sizeclass.h read these, whichever table the library is built with. (C lets an extern declaration
// follow a static definition and mean the same array.)
#ifndef BURROW_ALLOC_SIZECLASS_UTIL_H
#define BURROW_ALLOC_SIZECLASS_UTIL_H

#include "test.h"

#define BW_SIZECLASS_DEFINE(type, column) static const type bw__sizeclass_##column
#include "alloc/sizeclass_table.h"
#undef BW_SIZECLASS_DEFINE
#include "alloc/sizeclass.h"

enum { TABLE_PAGE = 8192 };

// The columns agree with each other; `batch_most` objects at most travel at a time.
static void check_columns(unsigned batch_most) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    bw_size_class r = bw__sizeclass_rows[c], before = bw__sizeclass_rows[c - 1];
    CHECK(r.size > before.size);
    CHECK_EQ(r.objects * r.size + r.tail_waste, r.span_bytes);
    CHECK(r.tail_waste < r.size && r.tail_waste <= r.span_bytes / 8);
    uint64_t waste = (uint64_t)r.objects * (r.size - before.size - 1) + r.tail_waste;
    uint64_t percent = (uint64_t)r.max_waste * r.span_bytes; // in 1/10000, of as much
    CHECK(percent <= waste * 10000 + r.span_bytes / 2 &&
          percent + r.span_bytes / 2 >= waste * 10000);
    CHECK_EQ(bw__sizeclass_sizes[c], r.size);
    CHECK_EQ(bw__sizeclass_pages[c], r.span_bytes / TABLE_PAGE);
    CHECK(bw__sizeclass_batches[c] >= 2 && bw__sizeclass_batches[c] <= batch_most);
    CHECK(c == 1 || bw__sizeclass_batches[c] <= bw__sizeclass_batches[c - 1]);
  }
  CHECK_EQ(bw__sizeclass_rows[BW_SIZECLASS_COUNT - 1].size, BW_SIZECLASS_MAX);
}

// The alignments that sizeclass.h promises.
static void check_alignments(void) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    uint32_t size = bw__sizeclass_sizes[c];
    CHECK_EQ(size % 8, 0);
    CHECK(size % 16 == 0 || size == 8 || size == 24);
    CHECK(size % 128 == 0 || size <= 1024);
  }
}

// The smallest class that holds a size, searched for.
static unsigned class_by_search(size_t size, unsigned align) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    uint32_t room = bw__sizeclass_rows[c].size;
    if (room >= size && (size <= 8 || room % align == 0)) return c;
  }
  return 0;
}

static void check_lookups(void) {
  for (size_t size = 0; size <= BW_SIZECLASS_MAX + 1000; size++) {
    CHECK_EQ(bw__sizeclass_of(size), class_by_search(size, 8));
    CHECK_EQ(bw__sizeclass_of16(size), class_by_search(size, 16));
  }
  CHECK_EQ(bw__sizeclass_of(SIZE_MAX), 0);
  CHECK_EQ(bw__sizeclass_of16(SIZE_MAX), 0);
}

// Division and divisibility by one multiplication, for every offset in every class's span.
static void check_reciprocals(void) {
  for (unsigned c = 1; c < BW_SIZECLASS_COUNT; c++) {
    uint32_t size = bw__sizeclass_rows[c].size;
    for (uint32_t offset = 0; offset < bw__sizeclass_rows[c].span_bytes; offset++) {
      CHECK_EQ(bw__sizeclass_index(c, offset), offset / size);
      CHECK_EQ(bw__sizeclass_starts(c, offset), offset % size == 0);
    }
  }
}

#endif
