// Go's table of 67 classes.
#undef BW_SIZECLASS_TABLE
#define BW_SIZECLASS_TABLE BW_SIZECLASS_GO67
#include "alloc_sizeclass_util.h"
#include "alloc_sizeclass_go.h"

TEST(alloc_sizeclass_go67_published) {
  CHECK_EQ(BW_SIZECLASS_COUNT, 1 + 67);
  for (unsigned c = 1; c <= 67; c++) check_published(bw__sizeclass_rows[c], go_published[c - 1]);
}

TEST(alloc_sizeclass_go67_columns) {
  check_columns(64);
  check_alignments();
}

TEST(alloc_sizeclass_go67_lookups) { check_lookups(); }

TEST(alloc_sizeclass_go67_reciprocals) { check_reciprocals(); }
