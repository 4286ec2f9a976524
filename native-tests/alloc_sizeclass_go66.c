// The table of older Go, 66 classes: today's without the class of 24 bytes.
#undef BW_SIZECLASS_TABLE
#define BW_SIZECLASS_TABLE BW_SIZECLASS_GO66
#include "alloc_sizeclass_util.h"
#include "alloc_sizeclass_go.h"

// Where the 24-byte class is missing the next one serves 17 bytes too: 15 of 32 are lost at worst.
TEST(alloc_sizeclass_go66_published) {
  CHECK_EQ(BW_SIZECLASS_COUNT, 1 + 66);
  for (unsigned c = 1; c <= 66; c++) {
    published_row wanted = go_published[c < 3 ? c - 1 : c];
    if (wanted.size == 32) wanted.waste = 4688;
    check_published(bw__sizeclass_rows[c], wanted);
  }
}

// The rows that the seed document quotes.
TEST(alloc_sizeclass_go66_quoted) {
  static const struct {
    unsigned size_class;
    published_row row;
  } quoted[] = {
      {1, {8, 8192, 1024, 0, 8750}},   {2, {16, 8192, 512, 0, 4375}},
      {3, {32, 8192, 256, 0, 4688}},   {4, {48, 8192, 170, 32, 3152}},
      {65, {28672, 57344, 2, 0, 491}}, {66, {32768, 32768, 1, 0, 1250}},
  };
  for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++)
    check_published(bw__sizeclass_rows[quoted[i].size_class], quoted[i].row);
  CHECK_EQ(bw__sizeclass_rows[5].size, 64);
  CHECK_EQ(bw__sizeclass_rows[5].span_bytes, 8192);
  CHECK_EQ(bw__sizeclass_rows[5].objects, 128);
}

TEST(alloc_sizeclass_go66_columns) {
  check_columns(64);
  check_alignments();
}

TEST(alloc_sizeclass_go66_lookups) { check_lookups(); }

TEST(alloc_sizeclass_go66_reciprocals) { check_reciprocals(); }
