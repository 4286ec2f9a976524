// Pages without a size class: bw__alloc_pages, whose memory the allocator must not touch.
#include "test.h"

#include "alloc/alloc.h"
#include "base/config.h"

enum { N = 40, BYTES = 16 << 10, MARK = 0x5a };

static uint64_t large_bytes(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s.large_bytes;
}

TEST(alloc_pages_are_large_objects) {
  uint64_t before = large_bytes();
  char *all = bw__alloc_pages(BYTES), *one = bw__alloc_pages(1);
  CHECK(all && one);
  CHECK_EQ((uintptr_t)all % BW_PAGE_SIZE, 0);
  CHECK_EQ((uintptr_t)one % BW_PAGE_SIZE, 0);
  CHECK_EQ(large_bytes(), before + BYTES + BW_PAGE_SIZE);
  memset(all, 1, BYTES);
  memset(one, 1, BW_PAGE_SIZE);
  bw__free_pages(one);
  bw__free_pages(all);
  CHECK_EQ(large_bytes(), before);
}

TEST(alloc_pages_without_memory) { CHECK(!bw__alloc_pages(SIZE_MAX / 2)); }

// Whether all of [p, p+BYTES), which the program has, is as it was left.
static bool is_marked(const char *p) {
  for (size_t i = 0; i < BYTES; i++)
    if (p[i] != MARK) return false;
  return true;
}

// Neither taking nor giving back writes to them: what is taken again holds what was in it.
TEST(alloc_pages_are_not_touched) {
  char *first[N], *again[N];
  int same = 0;
  for (int i = 0; i < N; i++) {
    CHECK((first[i] = bw__alloc_pages(BYTES)));
    memset(first[i], MARK, BYTES);
  }
  for (int i = 0; i < N; i++) bw__free_pages(first[i]);
  for (int i = 0; i < N; i++) CHECK((again[i] = bw__alloc_pages(BYTES)));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      if (again[i] == first[j]) {
        CHECK(is_marked(again[i]));
        same++;
      }
  CHECK(same > 0); // or nothing was looked at
  for (int i = 0; i < N; i++) bw__free_pages(again[i]);
}
