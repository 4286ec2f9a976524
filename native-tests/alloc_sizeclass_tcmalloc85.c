// TCMalloc's table of 85 classes.
#undef BW_SIZECLASS_TABLE
#define BW_SIZECLASS_TABLE BW_SIZECLASS_TCMALLOC85
#include "alloc_sizeclass_util.h"

// What gperftools 2.10 gives with pages of 8 KB, asked of it size by size.
static const uint32_t given[] = {
    8,      16,     32,     48,     64,     80,     96,     112,    128,    144,    160,
    176,    192,    208,    224,    240,    256,    288,    320,    352,    384,    416,
    448,    480,    512,    576,    640,    704,    768,    896,    1024,   1152,   1280,
    1408,   1536,   1792,   2048,   2304,   2560,   2816,   3072,   3328,   4096,   4608,
    5120,   6144,   6656,   8192,   9216,   10240,  12288,  13312,  16384,  20480,  24576,
    26624,  32768,  40960,  49152,  57344,  65536,  73728,  81920,  90112,  98304,  106496,
    114688, 122880, 131072, 139264, 147456, 155648, 163840, 172032, 180224, 188416, 196608,
    204800, 212992, 221184, 229376, 237568, 245760, 253952, 262144};

TEST(alloc_sizeclass_tcmalloc85_sizes) {
  CHECK_EQ(sizeof given / sizeof given[0], 85);
  CHECK_EQ(BW_SIZECLASS_COUNT, 1 + 85);
  for (unsigned c = 1; c <= 85; c++) CHECK_EQ(bw__sizeclass_rows[c].size, given[c - 1]);
}

TEST(alloc_sizeclass_tcmalloc85_columns) {
  check_columns(32);
  check_alignments();
  for (unsigned c = 1; c <= 85; c++) {
    bw_size_class r = bw__sizeclass_rows[c];
    CHECK(r.tail_waste * 8 < r.span_bytes);
    CHECK(r.objects >= bw__sizeclass_batches[c] / 4u);
  }
}

// A span is no longer than it must be.
TEST(alloc_sizeclass_tcmalloc85_spans) {
  for (unsigned c = 1; c <= 85; c++) {
    bw_size_class r = bw__sizeclass_rows[c];
    for (uint32_t span = TABLE_PAGE; span < r.span_bytes; span += TABLE_PAGE)
      CHECK(span % r.size > span / 8 || span / r.size < bw__sizeclass_batches[c] / 4u);
  }
}

// A request above 128 bytes loses less than a fifth to rounding, 16385 (given 20480) almost that.
TEST(alloc_sizeclass_tcmalloc85_rounding) {
  for (unsigned c = 1; c <= 85; c++) {
    uint32_t size = bw__sizeclass_rows[c].size, least = bw__sizeclass_rows[c - 1].size + 1;
    if (least > 128) CHECK((size - least) * 5 < size);
  }
  CHECK_EQ(bw__sizeclass_sizes[bw__sizeclass_of(16385)], 20480);
}

TEST(alloc_sizeclass_tcmalloc85_lookups) { check_lookups(); }

TEST(alloc_sizeclass_tcmalloc85_reciprocals) { check_reciprocals(); }
