// The size map: the published table row by row, and what must hold for every size.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/sizeclass.h"

typedef struct {
  uint32_t size, span, objects, tail, waste; // waste in 1/100 %
} published_row;

// Go 1.19's published table (66 rows of older Go plus the class of 24 bytes).
static const published_row published[] = {
    {8, 8192, 1024, 0, 8750},    {16, 8192, 512, 0, 4375},     {24, 8192, 341, 8, 2924},
    {32, 8192, 256, 0, 2188},    {48, 8192, 170, 32, 3152},    {64, 8192, 128, 0, 2344},
    {80, 8192, 102, 32, 1907},   {96, 8192, 85, 32, 1595},     {112, 8192, 73, 16, 1356},
    {128, 8192, 64, 0, 1172},    {144, 8192, 56, 128, 1182},   {160, 8192, 51, 32, 973},
    {176, 8192, 46, 96, 959},    {192, 8192, 42, 128, 925},    {208, 8192, 39, 80, 812},
    {224, 8192, 36, 128, 815},   {240, 8192, 34, 32, 662},     {256, 8192, 32, 0, 586},
    {288, 8192, 28, 128, 1216},  {320, 8192, 25, 192, 1180},   {352, 8192, 23, 96, 988},
    {384, 8192, 21, 128, 951},   {416, 8192, 19, 288, 1071},   {448, 8192, 18, 128, 837},
    {480, 8192, 17, 32, 682},    {512, 8192, 16, 0, 605},      {576, 8192, 14, 128, 1233},
    {640, 8192, 12, 512, 1548},  {704, 8192, 11, 448, 1393},   {768, 8192, 10, 512, 1394},
    {896, 8192, 9, 128, 1552},   {1024, 8192, 8, 0, 1240},     {1152, 8192, 7, 128, 1241},
    {1280, 8192, 6, 512, 1555},  {1408, 16384, 11, 896, 1400}, {1536, 8192, 5, 512, 1400},
    {1792, 16384, 9, 256, 1557}, {2048, 8192, 4, 0, 1245},     {2304, 16384, 7, 256, 1246},
    {2688, 8192, 3, 128, 1559},  {3072, 24576, 8, 0, 1247},    {3200, 16384, 5, 384, 622},
    {3456, 24576, 7, 384, 883},  {4096, 8192, 2, 0, 1560},     {4864, 24576, 5, 256, 1665},
    {5376, 16384, 3, 256, 1092}, {6144, 24576, 4, 0, 1248},    {6528, 32768, 5, 128, 623},
    {6784, 40960, 6, 256, 436},  {6912, 49152, 7, 768, 337},   {8192, 8192, 1, 0, 1561},
    {9472, 57344, 6, 512, 1428}, {9728, 49152, 5, 512, 364},   {10240, 40960, 4, 0, 499},
    {10880, 32768, 3, 128, 624}, {12288, 24576, 2, 0, 1145},   {13568, 40960, 3, 256, 999},
    {14336, 57344, 4, 0, 535},   {16384, 16384, 1, 0, 1249},   {18432, 73728, 4, 0, 1111},
    {19072, 57344, 3, 128, 357}, {20480, 40960, 2, 0, 687},    {21760, 65536, 3, 256, 625},
    {24576, 24576, 1, 0, 1145},  {27264, 81920, 3, 128, 1000}, {28672, 57344, 2, 0, 491},
    {32768, 32768, 1, 0, 1250},
};

enum { ROWS = sizeof published / sizeof published[0] };

TEST(alloc_sizeclass_published_table) {
  CHECK_EQ(ROWS, 67);
  CHECK_EQ(bw_size_class_count(), ROWS + 1);
  for (int i = 0; i < ROWS; i++) {
    bw_size_class row = bw_size_class_at(i + 1);
    CHECK_EQ(row.size, published[i].size);
    CHECK_EQ(row.span_bytes, published[i].span);
    CHECK_EQ(row.objects, published[i].objects);
    CHECK_EQ(row.tail_waste, published[i].tail);
    CHECK_EQ(row.max_waste, published[i].waste);
    CHECK_EQ(row.objects * row.size + row.tail_waste, row.span_bytes);
    CHECK_EQ(bw__sizeclass_pages[i + 1], row.span_bytes / 8192);
    CHECK_EQ(bw__sizeclass_sizes[i + 1], row.size);
  }
}

TEST(alloc_sizeclass_out_of_range_is_class_0) {
  int outside[] = {-1, 0, 68, 1000000, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
    bw_size_class row = bw_size_class_at(outside[i]);
    CHECK(row.size == 0 && row.span_bytes == 0 && row.objects == 0 && row.max_waste == 0);
  }
}

// The smallest class that holds a size, searched for.
static int class_by_search(size_t size, unsigned align) {
  for (int c = 1; c <= ROWS; c++)
    if (published[c - 1].size >= size && (size <= 8 || published[c - 1].size % align == 0))
      return c;
  return 0;
}

TEST(alloc_sizeclass_of_every_size) {
  for (size_t size = 0; size <= 33000; size++) {
    int c = class_by_search(size, 8), c16 = class_by_search(size, 16);
    CHECK_EQ(bw_size_class_of(size), c);
    CHECK_EQ(bw__sizeclass_of16(size), c16);
    size_t pages = (size + 8191) / 8192 * 8192;
    CHECK_EQ(bw__alloc_round8(size), c ? published[c - 1].size : pages);
    CHECK_EQ(bw_malloc_good_size(size), c16 ? published[c16 - 1].size : pages);
  }
  CHECK_EQ(bw_size_class_of(SIZE_MAX), 0);
}

TEST(alloc_sizeclass_round_near_overflow) {
  CHECK_EQ(bw__alloc_round8(SIZE_MAX), SIZE_MAX);
  CHECK_EQ(bw__alloc_round8(SIZE_MAX - 8190), SIZE_MAX - 8190);
  CHECK_EQ(bw__alloc_round8(SIZE_MAX - 8192 - 5), SIZE_MAX - 8191);
  CHECK_EQ(bw__alloc_round8(SIZE_MAX / 2 + 1), SIZE_MAX / 2 + 1);
}

// Division and divisibility by one multiplication, for every offset in every class's span.
TEST(alloc_sizeclass_reciprocals) {
  for (unsigned c = 1; c <= ROWS; c++) {
    uint32_t size = published[c - 1].size;
    for (uint32_t offset = 0; offset < published[c - 1].span; offset++) {
      CHECK_EQ(bw__sizeclass_index(c, offset), offset / size);
      CHECK_EQ(bw__sizeclass_starts(c, offset), offset % size == 0);
    }
  }
}

TEST(alloc_sizeclass_batches) {
  for (unsigned c = 1; c <= ROWS; c++) {
    CHECK(bw__sizeclass_batches[c] >= 2 && bw__sizeclass_batches[c] <= 64);
    CHECK(c == 1 || bw__sizeclass_batches[c] <= bw__sizeclass_batches[c - 1]);
  }
}

// What is really given: size, alignment, usable bytes.
TEST(alloc_sizeclass_given) {
  for (size_t size = 0; size <= 33000; size += size < 1200 ? 1 : 37) {
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
