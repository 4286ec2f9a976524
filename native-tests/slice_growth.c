// Capacities: what an append that does not fit gets. The lists are what Go 1.19.8 gave on amd64,
// the CLASSIC list follows from its rule and the same size classes. Element sizes are in bytes, so
// the same lists hold on 32-bit targets. They hold for both of Go's tables of size classes, with
// one exception (see slice_growth_of_several); with TCMalloc's the lists are skipped.
#include "test.h"

#include "alloc/alloc.h"
#include "alloc/sizeclass_table.h"

#define SKIP_WITHOUT_GO_CLASSES()                                                                  \
  if (BW_SIZECLASS_TABLE == BW_SIZECLASS_TCMALLOC85) SKIP("capacities of Go's size classes")

// Appends one by one to a nil slice until its capacity has gone through the whole list.
static void check_growth(bw_growth rule, size_t elem_size, const ptrdiff_t *caps) {
  static const char value[128];
  if (elem_size) SKIP_WITHOUT_GO_CLASSES();
  bw_slice s = {0};
  for (; *caps; caps++) {
    CHECK_EQ(bw_slice_next_cap(rule, elem_size, s.cap, s.cap + 1), *caps);
    while (s.len < *caps) {
      bw_slice t = bw_slice_append_rule(rule, s, elem_size, value, 1);
      CHECK(bw_slice_ok(t));
      CHECK_EQ(t.cap, *caps);
      if (t.ptr != s.ptr) bw_slice_free(s);
      s = t;
    }
  }
  bw_slice_free(s);
}

#define CHECK_GROWTH(rule, elem_size, ...)                                                         \
  check_growth(rule, elem_size, (const ptrdiff_t[]){__VA_ARGS__, 0})

// behaviour 165, section 13

TEST(slice_b165_growth_byte) {
  CHECK_GROWTH(BW_GROWTH_GO118, 1, 8, 16, 32, 64, 128, 256, 512, 896, 1408, 2048, 3072, 4096, 5376,
               6912, 9472, 12288, 16384, 21760, 28672, 40960, 57344, 73728, 98304, 131072);
}

TEST(slice_b165_growth_int32) {
  CHECK_GROWTH(BW_GROWTH_GO118, sizeof(int32_t), 2, 4, 8, 16, 32, 64, 128, 256, 512, 864, 1344,
               2048, 3072, 4096, 5440, 7168, 10240, 14336, 18432, 24576, 32768, 43008, 55296, 69632,
               88064, 110592);
}

TEST(slice_b165_growth_int64) {
  CHECK_GROWTH(BW_GROWTH_GO118, sizeof(int64_t), 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 848, 1280,
               1792, 2560, 3408, 5120, 7168, 9216, 12288, 16384, 21504, 27648, 34816, 44032, 55296,
               69632, 88064, 110592, 139264, 175104, 219136, 274432, 344064, 431104, 539648, 674816,
               843776, 1055744);
}

TEST(slice_b165_growth_string) {
  CHECK_GROWTH(BW_GROWTH_GO118, 16, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 848, 1280, 1792, 2560,
               3584, 5120, 6656, 8704, 11264, 14336, 18432, 23552, 29696, 37376, 47104, 59392,
               74752, 93696, 117760);
}

TEST(slice_b165_growth_three_ints) {
  CHECK_GROWTH(BW_GROWTH_GO118, sizeof(int64_t[3]), 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 853,
               1365, 2048, 3072, 4096, 5461, 7168, 9216, 11946, 15360, 19456, 24576, 31061, 39253,
               49493, 62122, 78165, 97962, 122880);
}

TEST(slice_b165_growth_five_bytes) {
  CHECK_GROWTH(BW_GROWTH_GO118, 5, 1, 3, 6, 12, 25, 51, 102, 204, 409, 819, 1228, 1894, 2713, 3686,
               4915, 6553, 9830, 13107, 18022, 22937);
}

TEST(slice_b165_growth_hundred_bytes) {
  CHECK_GROWTH(BW_GROWTH_GO118, 100, 1, 2, 4, 8, 17, 34, 69, 143, 286, 573, 983, 1474, 2048, 2785,
               3686, 4833, 6307);
}

// behaviour 164 as well: elements without bytes
TEST(slice_b164_b165_growth_empty_struct) {
  CHECK_GROWTH(BW_GROWTH_GO118, 0, 1, 2, 3);
  CHECK_GROWTH(BW_GROWTH_CLASSIC, 0, 1, 2, 3);
}

TEST(slice_b165_growth_classic_int64) {
  CHECK_GROWTH(BW_GROWTH_CLASSIC, sizeof(int64_t), 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024,
               1280, 1696, 2304, 3072, 4096, 5120, 7168, 9216, 12288, 15360, 19456, 24576, 30720,
               38912, 49152, 61440, 76800, 96256, 120832);
}

// Appends, pushes and growing on demand that name no rule follow CLASSIC.
TEST(slice_b165_classic_is_the_default) {
  static const int64_t value = 7;
  bw_slice pushed = {0}, appended = {0}, grown = {0};
  for (ptrdiff_t n = 0; n < 20000; n++) {
    ptrdiff_t cap = bw_slice_next_cap(BW_GROWTH_CLASSIC, 8, pushed.cap, n + 1);
    CHECK_EQ(bw_slice_push(&pushed, 8, &value, 1), 0);
    CHECK_EQ(pushed.cap, cap);
    bw_slice next = bw_slice_append(appended, 8, &value, 1);
    CHECK(next.ptr != NULL);
    if (next.ptr != appended.ptr) bw_slice_free(appended);
    appended = next;
    CHECK_EQ(appended.cap, cap);
    CHECK_EQ(bw_slice_grow(&grown, 8, 1), 0);
    grown.len++;
    CHECK_EQ(grown.cap, cap);
  }
  bw_slice_free(pushed);
  bw_slice_free(appended);
  bw_slice_free(grown);
}

// An owner's large array grows where it lies while the pages behind it are free: what is pushed to
// alone moves now and then, but not each time.
TEST(slice_grows_in_place) {
  SKIP_IN_ALLOC_DEBUG("every large object has a guard page");
  bw_slice s = {0};
  int grown = 0, moved = 0;
  for (int64_t i = 0; i < 400000; i++) {
    void *was = s.ptr;
    ptrdiff_t cap = s.cap;
    CHECK_EQ(bw_slice_push(&s, 8, &i, 1), 0);
    if (s.cap == cap || cap * 8 <= 32768) continue;
    grown++;
    if (s.ptr != was) moved++;
  }
  CHECK(grown > 10);
  CHECK(moved < grown);
  for (int64_t i = 0; i < 400000; i++) CHECK_EQ(*BW_AT(int64_t, s, i), i);
  bw_slice_free(s);
}

static ptrdiff_t cap_of_append(size_t elem_size, ptrdiff_t old_cap, ptrdiff_t more) {
  static const int64_t values[1001];
  bw_slice s = bw_slice_make(elem_size, old_cap, old_cap);
  bw_slice t = bw_slice_append_rule(BW_GROWTH_GO118, s, elem_size, values, more);
  CHECK_EQ(t.len, old_cap + more);
  ptrdiff_t cap = t.cap;
  bw_slice_free(s);
  bw_slice_free(t);
  return cap;
}

// Section 13's table "append oldcap": several elements at once.
TEST(slice_b165_growth_of_several) {
  SKIP_WITHOUT_GO_CLASSES();
  enum { of_24 = BW_SIZECLASS_TABLE == BW_SIZECLASS_GO66 ? 4 : 3 }; // older Go has no such class
  static const struct {
    ptrdiff_t old_cap, more, cap_int, cap_byte;
  } rows[] = {
      {0, 1, 1, 8},          {0, 3, of_24, 8},      {0, 5, 6, 8},
      {1, 1, 2, 8},          {2, 3, 6, 8},          {4, 5, 10, 16},
      {5, 3, 10, 16},        {5, 6, 12, 16},        {255, 1, 512, 512},
      {256, 1, 512, 512},    {256, 257, 608, 576},  {257, 1, 608, 576},
      {512, 1, 848, 896},    {1000, 1, 1536, 1536}, {1000, 1001, 2048, 2048},
      {5000, 1, 7168, 6528},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    CHECK_EQ(cap_of_append(8, rows[i].old_cap, rows[i].more), rows[i].cap_int);
    CHECK_EQ(cap_of_append(1, rows[i].old_cap, rows[i].more), rows[i].cap_byte);
  }
}

// The seed document's words: below 1024 elements twice as many, from 1024 on a quarter more.
TEST(slice_b165_growth_classic_is_the_seeds_rule) {
  for (ptrdiff_t cap = 1; cap < 8192; cap++) {
    ptrdiff_t plain = cap < 1024 ? 2 * cap : cap + cap / 4;
    ptrdiff_t bytes = (ptrdiff_t)bw__alloc_round8((size_t)plain * 16);
    CHECK_EQ(bw_slice_next_cap(BW_GROWTH_CLASSIC, 16, cap, cap + 1), bytes / 16);
  }
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_CLASSIC, 8, 4, 5), 8); // the seed's own example
}

// The rule's capacity, rounded up to the class or the pages that it takes, with any size classes.
TEST(slice_b165_growth_go118_is_the_rule_rounded) {
  static const size_t sizes[] = {1, 8, 16, 24, 40, 100, 1000};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    for (ptrdiff_t cap = 1; cap < 8192; cap++) {
      ptrdiff_t plain = cap < 256 ? 2 * cap : cap + (cap + 768) / 4;
      size_t bytes = (size_t)plain * sizes[k], given = (bytes + 8191) / 8192 * 8192;
      for (int c = bw_size_class_count(); c-- > 1;)
        if (bw_size_class_at(c).size >= bytes) given = bw_size_class_at(c).size;
      CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, sizes[k], cap, cap + 1), given / sizes[k]);
    }
}

// A capacity never falls short of what is needed, wastes at most an eighth (or a page) over the
// rule, and a larger old capacity never gets a smaller new one under GO118.
TEST(slice_b165_growth_properties) {
  static const size_t sizes[] = {1, 3, 8, 16, 24, 40, 100, 1000};
  for (int rule = BW_GROWTH_GO118; rule <= BW_GROWTH_CLASSIC; rule++)
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
      ptrdiff_t before = 0;
      for (ptrdiff_t old = 1; old < 6000; old++) {
        ptrdiff_t cap = bw_slice_next_cap((bw_growth)rule, sizes[k], old, old + 1);
        CHECK(cap > old);
        CHECK((size_t)cap * sizes[k] <= (size_t)old * sizes[k] * 9 / 4 + 8192);
        if (rule == BW_GROWTH_GO118) CHECK(cap >= before);
        before = cap;
        CHECK(bw_slice_next_cap((bw_growth)rule, sizes[k], old, 3 * old) >= 3 * old);
      }
    }
}

// Needing exactly twice as much is still growth by the rule; needing more is not.
TEST(slice_b165_growth_around_the_double) {
  SKIP_WITHOUT_GO_CLASSES();
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 8, 300, 600), 1024); // 300 567 900, then the class
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 8, 300, 601), 608);
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_CLASSIC, 1, 1200, 2400), 3072); // 1200 1500 1875 2343 2928
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_CLASSIC, 1, 1200, 2401), 2688);
}

TEST(slice_b165_next_cap_at_the_limits) {
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 8, 10, 10), 10);
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 8, 10, 3), 10);
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 8, -1, 3), -1);
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 8, 0, -3), -1);
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 1, 0, PTRDIFF_MAX), -1); // no page fits behind it
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 2, 0, PTRDIFF_MAX / 2 + 1), -1);
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_CLASSIC, SIZE_MAX, 0, 1), -1);
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 0, 0, PTRDIFF_MAX), PTRDIFF_MAX);
  // The rule's own answer would be too large, what is needed is not.
  ptrdiff_t most = PTRDIFF_MAX / 8192 * 8192 - 8192;
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_GO118, 1, most - 1, most), most);
  CHECK_EQ(bw_slice_next_cap(BW_GROWTH_CLASSIC, 1, most - 1, most), most);
}
