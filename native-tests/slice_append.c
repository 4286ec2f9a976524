// append, both forms: element kinds, overlap, the empty cases, elements without bytes, alignment,
// and what happens when there is no memory.
#include "test.h"

#include "slice_util.h"

// behaviour 159: 0, 1 and 3 values and whole slices, to empty and non-empty ones, for every kind of
// element that C has.
static void check_kind(size_t elem_size) {
  unsigned char a[3 * 64], b[3 * 64];
  for (size_t i = 0; i < sizeof a; i++)
    a[i] = (unsigned char)(i * 7 + 1), b[i] = (unsigned char)~a[i];
  static const ptrdiff_t counts[] = {0, 1, 3};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      ptrdiff_t n = counts[i], m = counts[j];
      bw_slice s = {0};
      CHECK_EQ(bw_slice_push(&s, elem_size, a, n), 0);
      CHECK_EQ(s.len, n);
      CHECK(n > 0 || s.ptr == NULL); // nothing appended to nil is nil
      bw_slice t = bw_slice_append(s, elem_size, b, m);
      CHECK_EQ(t.len, n + m);
      CHECK(t.cap >= t.len);
      CHECK_EQ(s.len, n);
      CHECK(same_bytes(t.ptr, a, (size_t)n * elem_size));
      if (t.ptr) CHECK(same_bytes((char *)t.ptr + (size_t)n * elem_size, b, (size_t)m * elem_size));
      CHECK(same_bytes(s.ptr, a, (size_t)n * elem_size));
      if (t.ptr != s.ptr) bw_slice_free(t);
      bw_slice_free(s);
    }
}

TEST(slice_b159_kinds) {
  struct point {
    int64_t x;
    char name[5];
  };
  check_kind(sizeof(bool));
  check_kind(sizeof(int8_t));
  check_kind(sizeof(int16_t));
  check_kind(sizeof(int32_t));
  check_kind(sizeof(int64_t));
  check_kind(sizeof(float));
  check_kind(sizeof(double));
  check_kind(sizeof(void *));
  check_kind(sizeof(struct point));
  check_kind(sizeof(bw_slice));
  check_kind(3);
  check_kind(64);
}

// behaviour 159: append([]byte, string...)
TEST(slice_b159_string) {
  bw_slice s = {0};
  const char *words[] = {"goroutines", "", " that", " move"};
  for (int i = 0; i < 4; i++)
    CHECK_EQ(bw_slice_push(&s, 1, words[i], (ptrdiff_t)strlen(words[i])), 0);
  CHECK_EQ(bw_slice_push(&s, 1, "", 1), 0);
  CHECK_STR(s.ptr, "goroutines that move");
  bw_slice_free(s);
}

// behaviour 160, in place, with a new array, and in the form that frees the old one
TEST(slice_b160_overlap) {
  char array[8] = "1234";
  bw_slice x = {array, 4, 8};
  bw_slice y = bw_slice_append(bw_slice_slice(x, 1, 1, 4), 1, x.ptr, x.len);
  CHECK(y.ptr == array + 1); // fits
  CHECK_EQ(y.len, 7);
  CHECK(memcmp(y.ptr, "2341234", 7) == 0);

  x = bw_slice_make(1, 4, 4);
  memcpy(x.ptr, "1234", 4);
  y = bw_slice_append(bw_slice_slice(x, 1, 1, 4), 1, x.ptr, x.len);
  CHECK(y.ptr != x.ptr && y.len == 7);
  CHECK(memcmp(y.ptr, "2341234", 7) == 0);
  CHECK(memcmp(x.ptr, "1234", 4) == 0);
  bw_slice_free(y);

  CHECK_EQ(bw_slice_push(&x, 1, x.ptr, 4), 0); // x = append(x, x...)
  CHECK_EQ(bw_slice_push(&x, 1, (char *)x.ptr + 3, 5), 0);
  CHECK_EQ(x.len, 13);
  CHECK(memcmp(x.ptr, "1234123441234", 13) == 0);
  bw_slice_free(x);
}

// append(x[:1], x...) in place: source and target really overlap.
TEST(slice_b160_over_its_own_source) {
  char array[10] = "abcde";
  bw_slice x = {array, 5, 10};
  bw_slice y = bw_slice_append(bw_slice_slice(x, 1, 0, 1), 1, x.ptr, x.len);
  CHECK_EQ(y.len, 6);
  CHECK(memcmp(array, "aabcde", 6) == 0);
  bw_slice z = bw_slice_slice(x, 1, 0, 2);
  CHECK_EQ(bw_slice_push(&z, 1, array + 1, 5), 0);
  CHECK(memcmp(array, "aaabcde", 7) == 0);
}

// behaviour 160 for every length and every element size around the growth of small arrays
TEST(slice_b160_to_itself_all_lengths) {
  static const size_t sizes[] = {1, 2, 5, 8, 16, 24};
  for (size_t k = 0; k < 6; k++)
    for (ptrdiff_t n = 0; n <= 70; n++) {
      bw_slice x = bw_slice_make(sizes[k], n, n);
      size_t bytes = (size_t)n * sizes[k];
      for (size_t i = 0; i < bytes; i++) ((char *)x.ptr)[i] = (char)(i * 3);
      CHECK_EQ(bw_slice_push(&x, sizes[k], x.ptr, n), 0);
      CHECK_EQ(x.len, 2 * n);
      for (size_t i = 0; i < 2 * bytes; i++) CHECK(((char *)x.ptr)[i] == (char)(i % bytes * 3));
      bw_slice_free(x);
    }
}

// The same for large arrays, which may grow without moving: with and without something behind them.
TEST(slice_b160_push_to_itself_large) {
  for (int round = 0; round < 2; round++) {
    bw_slice x = {0};
    for (int64_t i = 0; i < 6000; i++) CHECK_EQ(bw_slice_push(&x, 8, &i, 1), 0);
    void *wall = round ? bw_malloc(100000) : NULL;
    while (x.len < 1000000) {
      ptrdiff_t n = x.cap - x.len + 1, from = x.len - n; // one more than fits: the array's own end
      CHECK_EQ(bw_slice_push(&x, 8, bw_slice_at(x, 8, from), n), 0);
      CHECK(all_zero((int64_t *)x.ptr + x.len, (size_t)(x.cap - x.len) * 8));
      for (ptrdiff_t i = 0; i < n; i++)
        CHECK_EQ(*BW_AT(int64_t, x, x.len - n + i), *BW_AT(int64_t, x, from + i));
    }
    for (int64_t i = 0; i < 6000; i++) CHECK_EQ(*BW_AT(int64_t, x, i), i);
    bw_free(wall);
    bw_slice_free(x);
  }
}

// behaviour 161: what a call's argument does to the slice does not reach the copy that was passed.
static int64_t grow_and_return(bw_slice *s) {
  static const int64_t one = 1;
  CHECK_EQ(bw_slice_push(s, 8, &one, 1), 0);
  return s->len;
}

TEST(slice_b161_values_first) {
  bw_slice s = bw_slice_make(8, 0, 4);
  bw_slice old = s;
  int64_t value = grow_and_return(&s); // evaluated before the append copies it
  old = bw_slice_append(old, 8, &value, 1);
  CHECK_EQ(old.len, 1);
  CHECK_EQ(*BW_AT(int64_t, s, 0), 1); // one array: the later write is the one that is seen
  CHECK(old.ptr == s.ptr);
  bw_slice_free(s);
}

// behaviour 164
TEST(slice_b164_zero_size) {
  struct nothing {
    char none[0];
  };
  bw_slice s = {0};
  CHECK_EQ(bw_slice_push(&s, sizeof(struct nothing), NULL, 1), 0);
  CHECK(s.ptr != NULL);
  CHECK_EQ(s.len, 1);
  CHECK_EQ(s.cap, 1);
  bw_slice t = bw_slice_append(s, 0, NULL, 1000);
  CHECK(t.ptr == s.ptr);
  CHECK_EQ(t.len, 1001);
  CHECK_EQ(t.cap, 1001);
  CHECK(bw_slice_at(t, 0, 1000) == t.ptr);
  bw_slice m = bw_slice_make(0, 5, 9);
  CHECK(m.ptr != NULL && m.len == 5 && m.cap == 9);
  CHECK_EQ(bw_slice_copy(m, t, 0), 5);
  CHECK_EQ(bw_slice_slice(m, 0, 2, 9).cap, 7);
  bw_slice huge = bw_slice_make(0, PTRDIFF_MAX, PTRDIFF_MAX); // counting takes no room
  CHECK_EQ(huge.len, PTRDIFF_MAX);
  bw_slice_free(s);
  bw_slice_free(m);
  bw_slice_free(t);
}

// An empty array has an address that may be freed and pushed to.
TEST(slice_make_empty) {
  bw_slice s = bw_slice_make(8, 0, 0);
  CHECK(bw_slice_ok(s) && s.ptr != NULL && s.cap == 0);
  CHECK_EQ(bw_slice_push(&s, 8, &(int64_t){7}, 1), 0);
  CHECK_EQ(*BW_AT(int64_t, s, 0), 7);
  bw_slice_free(s);
  bw_slice_free(bw_slice_make(8, 0, 0));
  bw_slice_free((bw_slice){0});
}

// Memory that was used and freed before must not shine through.
TEST(slice_new_arrays_are_zero) {
  for (size_t bytes = 1; bytes < 200000; bytes = bytes * 5 / 3 + 1) {
    bw_slice dirty = bw_slice_make(1, (ptrdiff_t)bytes, (ptrdiff_t)bytes);
    memset(dirty.ptr, 0xee, bytes);
    bw_slice_free(dirty);
    bw_slice s = bw_slice_make(1, (ptrdiff_t)(bytes / 2), (ptrdiff_t)bytes);
    CHECK(all_zero(s.ptr, bytes));
    bw_slice_free(s);
    s = bw_slice_make(1, (ptrdiff_t)bytes, (ptrdiff_t)bytes);
    memset(s.ptr, 0xdd, bytes);
    bw_slice_free(s);
    s = (bw_slice){0};
    CHECK_EQ(bw_slice_push(&s, 1, "x", 1), 0);
    bw_slice t = bw_slice_make(1, (ptrdiff_t)bytes, (ptrdiff_t)bytes);
    memset(t.ptr, 0xcc, bytes);
    CHECK_EQ(bw_slice_push(&t, 1, "y", 1), 0);
    CHECK(all_zero((char *)t.ptr + t.len, (size_t)(t.cap - t.len)));
    CHECK(all_zero((char *)s.ptr + 1, (size_t)s.cap - 1));
    bw_slice_free(s);
    bw_slice_free(t);
  }
}

// An element whose size is a multiple of 16 may need an address that is one, too.
TEST(slice_arrays_are_aligned) {
  for (size_t elem_size = 1; elem_size <= 208; elem_size++) {
    bw_slice s = {0};
    size_t align = elem_size % 16 == 0 ? 16 : elem_size % 8 == 0 ? 8 : 1;
    static const char value[208];
    for (int i = 0; i < 40; i++) {
      CHECK_EQ(bw_slice_push(&s, elem_size, value, 1), 0);
      CHECK_EQ((uintptr_t)s.ptr % align, 0);
    }
    bw_slice_free(s);
  }
}

// The push form frees every array it leaves behind, append none.
TEST(slice_ownership_leaves_nothing) {
  uint64_t before = live_objects();
  bw_slice s = {0};
  for (int64_t i = 0; i < 5000; i++) CHECK_EQ(bw_slice_push(&s, 8, &i, 1), 0);
  CHECK_EQ(live_objects(), before + 1);
  bw_slice t = bw_slice_append(s, 8, s.ptr, s.len);
  CHECK_EQ(live_objects(), before + 2);
  for (int64_t i = 0; i < 10000; i++) CHECK_EQ(*BW_AT(int64_t, t, i), i % 5000);
  bw_slice_free(s);
  bw_slice_free(t);
  CHECK_EQ(live_objects(), before);
}

// No memory: a code or a failed slice, and what was there is there still.
TEST(slice_out_of_memory) {
  static const int64_t kept[3] = {1, 2, 3};
  bw_slice s = bw_slice_make(8, 0, 3), values = bw_slice_make(8, 1, 1);
  bw_slice large = bw_slice_make(8, 20000, 20000);
  CHECK_EQ(bw_slice_push(&s, 8, kept, 3), 0);
  struct hoard h = hoard_memory();
  ptrdiff_t absurd = unobtainable();
  bw_slice old = s;
  CHECK_EQ(bw_slice_push(&s, 8, values.ptr, absurd / 8), BW_ENOMEM);
  CHECK(s.ptr == old.ptr && s.len == 3 && s.cap == old.cap);
  bw_slice t = bw_slice_append(s, 8, values.ptr, absurd / 8);
  CHECK(!bw_slice_ok(t));
  CHECK_EQ(t.len, 0);
  CHECK(!bw_slice_ok(bw_slice_append(t, 8, kept, 1))); // and stays failed
  CHECK_EQ(bw_slice_push(&t, 8, kept, 1), BW_ENOMEM);
  CHECK(!bw_slice_ok(bw_slice_make(1, 0, absurd)));
  CHECK(!bw_slice_ok(bw_slice_make(1, absurd, absurd)));
  CHECK(memcmp(s.ptr, kept, sizeof kept) == 0);

  bw_slice old_large = large; // grown in another way than small ones
  CHECK_EQ(bw_slice_push(&large, 8, large.ptr, absurd / 8), BW_ENOMEM);
  CHECK(large.ptr == old_large.ptr && large.len == 20000 && large.cap == old_large.cap);
  CHECK(all_zero(large.ptr, (size_t)large.len * 8));
  free_hoard(h);
  bw_slice_free(large);
  bw_slice_free(t);
  bw_slice_free(s);
  bw_slice_free(values);
}

DEATH_TEST(slice_failed_has_no_elements, 2, "index out of range [0] with length 0") {
  struct hoard h = hoard_memory();
  bw_slice s = bw_slice_make(1, unobtainable(), unobtainable());
  (void)h;
  *BW_AT(char, s, 0) = 1;
}
