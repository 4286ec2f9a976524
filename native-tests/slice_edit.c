// Insert, delete, grow, clip: against a copy that is made element by element.
#include "test.h"

#include "oom_util.h"
#include "slice_util.h"

static bw_slice counted(size_t size, ptrdiff_t n, ptrdiff_t cap) {
  bw_slice s = bw_slice_make(size, n, cap);
  CHECK(bw_slice_ok(s));
  for (ptrdiff_t i = 0; i < n; i++) memset(bw_slice_at(s, size, i), (int)i + 1, size);
  return s;
}

static int byte_at(bw_slice s, size_t size, ptrdiff_t i) {
  unsigned char *at = bw_slice_at(s, size, i);
  for (size_t k = 1; k < size; k++) CHECK(at[k] == at[0]);
  return at[0];
}

TEST(slice_insert_everywhere) {
  static const size_t sizes[] = {1, 3, 8, 24, 100};
  for (size_t k = 0; k < 5; k++)
    for (ptrdiff_t n = 0; n <= 9; n++)
      for (ptrdiff_t i = 0; i <= n; i++)
        for (ptrdiff_t m = 0; m <= 5; m++)
          for (int room = 0; room < 2; room++) {
            size_t size = sizes[k];
            bw_slice s = counted(size, n, n + (room ? m : 0)), v = counted(size, m, m);
            for (ptrdiff_t j = 0; j < m; j++) memset(bw_slice_at(v, size, j), 100 + (int)j, size);
            void *was = s.ptr;
            CHECK_EQ(bw_slice_insert(&s, size, i, v.ptr, m), 0);
            if (room) CHECK(s.ptr == was);
            CHECK_EQ(s.len, n + m);
            for (ptrdiff_t j = 0; j < n + m; j++)
              CHECK_EQ(byte_at(s, size, j), j < i ? j + 1 : j < i + m ? 100 + j - i : j - m + 1);
            bw_slice_free(s);
            bw_slice_free(v);
          }
}

// Values that are elements of the slice itself, before, across and behind the place.
TEST(slice_insert_own_elements) {
  for (int room = 0; room < 2; room++)
    for (ptrdiff_t i = 0; i <= 8; i++)
      for (ptrdiff_t from = 0; from <= 8; from++)
        for (ptrdiff_t m = 0; from + m <= 8; m++) {
          bw_slice s = counted(5, 8, room ? 20 : 8);
          CHECK_EQ(bw_slice_insert(&s, 5, i, (char *)s.ptr + from * 5, m), 0);
          CHECK_EQ(s.len, 8 + m);
          for (ptrdiff_t j = 0; j < 8 + m; j++)
            CHECK_EQ(byte_at(s, 5, j), j < i ? j + 1 : j < i + m ? from + j - i + 1 : j - m + 1);
          bw_slice_free(s);
        }
}

TEST(slice_delete_everywhere) {
  for (ptrdiff_t i = 0; i <= 8; i++)
    for (ptrdiff_t j = i; j <= 8; j++) {
      bw_slice s = counted(3, 8, 11), t = bw_slice_delete(s, 3, i, j);
      CHECK(t.ptr == s.ptr && t.cap == s.cap);
      CHECK_EQ(t.len, 8 - (j - i));
      for (ptrdiff_t k = 0; k < t.len; k++)
        CHECK_EQ(byte_at(t, 3, k), k < i ? k + 1 : k + j - i + 1);
      CHECK(all_zero((char *)s.ptr + t.len * 3, (size_t)(11 - t.len) * 3));
      bw_slice_free(s);
    }
}

TEST(slice_edit_zero_size) {
  bw_slice s = bw_slice_make(0, 4, 4);
  CHECK_EQ(bw_slice_insert(&s, 0, 2, NULL, 3), 0);
  CHECK_EQ(s.len, 7);
  s = bw_slice_delete(s, 0, 1, 3);
  CHECK_EQ(s.len, 5);
  CHECK_EQ(bw_slice_grow(&s, 0, 100), 0);
  CHECK(s.len == 5 && s.cap >= 105);
  bw_slice_free(s);
}

// After a grow the pushes that it was for find room, and the array does not move.
TEST(slice_grow_makes_room) {
  for (ptrdiff_t n = 1; n < 100000; n = n * 3 + 1) {
    bw_slice s = counted(1, 100, 100);
    CHECK_EQ(bw_slice_grow(&s, 1, n), 0);
    CHECK(s.len == 100 && s.cap >= 100 + n);
    CHECK(all_zero((char *)s.ptr + 100, (size_t)s.cap - 100));
    for (ptrdiff_t i = 0; i < 100; i++) CHECK_EQ(byte_at(s, 1, i), i + 1);
    void *was = s.ptr;
    ptrdiff_t cap = s.cap;
    for (ptrdiff_t i = 0; i < n; i++) CHECK_EQ(bw_slice_push(&s, 1, "x", 1), 0);
    CHECK(s.ptr == was && s.cap == cap);
    CHECK_EQ(bw_slice_grow(&s, 1, 0), 0);
    CHECK_EQ(s.cap, cap);
    bw_slice_free(s);
  }
}

TEST(slice_clip_has_no_room) {
  bw_slice s = counted(4, 2, 8), t = bw_slice_clip(s);
  CHECK(t.ptr == s.ptr && t.len == 2 && t.cap == 2);
  bw_slice u = bw_slice_append(t, 4, &(int){9}, 1);
  CHECK(u.ptr != s.ptr);
  CHECK_EQ(bw_slice_clip((bw_slice){0}).cap, 0);
  bw_slice failed = {NULL, 0, -1};
  CHECK(!bw_slice_ok(bw_slice_clip(failed)));
  bw_slice_free(u);
  bw_slice_free(s);
}

// Each request that an operation makes is refused once: a code, or a failed slice, and all as it
// was.
TEST(slice_edit_out_of_memory) {
  SKIP_IN_ALLOC_DEBUG("what is soaked up is not what it gives");
  bw_slice small = counted(8, 4, 4), large = counted(8, 5000, 5000), values = counted(8, 3, 3);
  bw_slice old_small = small, old_large = large;
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  CHECK_EQ(bw_slice_insert(&small, 8, 2, values.ptr, 3), BW_ENOMEM);
  CHECK_EQ(bw_slice_insert(&small, 8, 2, small.ptr, 3), BW_ENOMEM);
  CHECK_EQ(bw_slice_insert(&large, 8, 2, values.ptr, 3), BW_ENOMEM);
  CHECK_EQ(bw_slice_insert(&large, 8, 2, large.ptr, 3), BW_ENOMEM);
  CHECK_EQ(bw_slice_grow(&small, 8, 1000), BW_ENOMEM);
  CHECK_EQ(bw_slice_grow(&large, 8, 1), BW_ENOMEM);
  CHECK_EQ(bw_slice_push(&small, 8, values.ptr, 1), BW_ENOMEM);
  CHECK(!bw_slice_ok(bw_slice_append(small, 8, values.ptr, 1)));
  CHECK(!bw_slice_ok(bw_slice_from(8, small.ptr, 4)));
  CHECK(!bw_slice_ok(bw_slice_make(8, 0, 1)));
  oom_end();
  oom_free(all);
  CHECK(memcmp(&small, &old_small, sizeof small) == 0);
  CHECK(memcmp(&large, &old_large, sizeof large) == 0);
  for (ptrdiff_t i = 0; i < 4; i++) CHECK_EQ(byte_at(small, 8, i), i + 1);
  for (ptrdiff_t i = 0; i < 5000; i++) CHECK_EQ(byte_at(large, 8, i), (unsigned char)(i + 1));
  CHECK_EQ(bw_slice_insert(&small, 8, 2, values.ptr, 3), 0);
  CHECK_EQ(bw_slice_insert(&large, 8, 2, values.ptr, 3), 0);
  bw_slice failed = {NULL, 0, -1};
  CHECK_EQ(bw_slice_insert(&failed, 8, 0, values.ptr, 1), BW_ENOMEM);
  CHECK_EQ(bw_slice_grow(&failed, 8, 1), BW_ENOMEM);
  bw_slice_free(small);
  bw_slice_free(large);
  bw_slice_free(values);
}

#define RUNTIME "panic: runtime error: "

static int64_t array[9];

DEATH_TEST(slice_insert_beyond, 2, RUNTIME "slice bounds out of range [4:3]\n") {
  bw_slice s = {array, 3, 9};
  bw_slice_insert(&s, 8, 4, array, 1);
}
DEATH_TEST(slice_insert_before, 2, RUNTIME "slice bounds out of range [-1:]\n") {
  bw_slice s = {array, 3, 9};
  bw_slice_insert(&s, 8, -1, array, 1);
}
DEATH_TEST(slice_delete_beyond, 2, RUNTIME "slice bounds out of range [:4:3]\n") {
  bw_slice_delete((bw_slice){array, 3, 9}, 8, 1, 4);
}
DEATH_TEST(slice_delete_backwards, 2, RUNTIME "slice bounds out of range [2:1:]\n") {
  bw_slice_delete((bw_slice){array, 3, 9}, 8, 2, 1);
}
DEATH_TEST(slice_b166_grow_overflow, 2, RUNTIME "growslice: len out of range") {
  bw_slice s = {array, 3, 9};
  bw_slice_grow(&s, 8, PTRDIFF_MAX - 2);
}
DEATH_TEST(slice_b166_grow_negative, 2, RUNTIME "growslice: len out of range") {
  bw_slice s = {array, 3, 9};
  bw_slice_grow(&s, 8, -1);
}
