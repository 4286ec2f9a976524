// What slices share and what they do not: arrays are values, slices are windows.
#include "test.h"

struct eight {
  int32_t at[8];
};

static int32_t change_copy(struct eight a) {
  for (int i = 0; i < 8; i++) a.at[i] = -1;
  return a.at[0];
}

static void change_view(bw_slice s) { *BW_AT(int32_t, s, 0) = -1; }

// Arrays are values: assigning and passing copies every element. A view shares.
TEST(slice_arrays_are_values) {
  struct eight a = {{0, 1, 2, 3, 4, 5, 6, 7}}, b = a;
  CHECK_EQ(change_copy(a), -1);
  b.at[3] = 33;
  for (int i = 0; i < 8; i++) CHECK_EQ(a.at[i], i);
  bw_slice view = bw_slice_of(a.at, 8), same = view;
  *BW_AT(int32_t, view, 3) = 33;
  CHECK_EQ(a.at[3], 33);
  CHECK_EQ(*BW_AT(int32_t, same, 3), 33);
  change_view(view); // the slice is copied, its array is not
  CHECK_EQ(a.at[0], -1);
  a.at[7] = 77;
  CHECK_EQ(*BW_AT(int32_t, same, 7), 77);
  CHECK_EQ(b.at[7], 7);
}

// Length and capacity of every s[low:high] and s[low:high:max] over a small array.
TEST(slice_all_windows) {
  int64_t a[9];
  for (int i = 0; i < 9; i++) a[i] = i;
  bw_slice s = {a, 5, 9}; // a window may reach beyond len, up to cap
  for (ptrdiff_t high = 0; high <= 9; high++)
    for (ptrdiff_t low = 0; low <= high; low++) {
      bw_slice w = bw_slice_slice(s, 8, low, high);
      CHECK_EQ(w.len, high - low);
      CHECK_EQ(w.cap, 9 - low);
      for (ptrdiff_t i = 0; i < w.len; i++) CHECK_EQ(*BW_AT(int64_t, w, i), low + i);
      for (ptrdiff_t max = high; max <= 9; max++) {
        w = bw_slice_slice3(s, 8, low, high, max);
        CHECK_EQ(w.len, high - low);
        CHECK_EQ(w.cap, max - low);
        for (ptrdiff_t i = 0; i < w.len; i++) CHECK_EQ(*BW_AT(int64_t, w, i), low + i);
      }
    }
  CHECK(bw_slice_slice(s, 8, 9, 9).ptr == a); // an empty rest does not point behind the array
  bw_slice nil = bw_slice_slice((bw_slice){0}, 8, 0, 0);
  CHECK(nil.ptr == NULL && nil.len == 0 && nil.cap == 0);
}

// A reslice sees the writes of the others, and an append with room writes into the shared array.
TEST(slice_aliasing) {
  bw_slice s = bw_slice_make(sizeof(int), 4, 8);
  bw_slice front = bw_slice_slice(s, sizeof(int), 0, 2);
  bw_slice back = bw_slice_slice(s, sizeof(int), 1, 4);
  *BW_AT(int, front, 1) = 11;
  CHECK_EQ(*BW_AT(int, back, 0), 11);
  CHECK_EQ(*BW_AT(int, s, 1), 11);
  front = bw_slice_append(front, sizeof(int), &(int){22}, 1); // overwrites s[2]
  CHECK(front.ptr == s.ptr && front.len == 3);
  CHECK_EQ(*BW_AT(int, s, 2), 22);
  CHECK_EQ(*BW_AT(int, back, 1), 22);
  // A three-index slice has no room: the append moves out and what is shared stays as it is.
  bw_slice apart = bw_slice_slice3(s, sizeof(int), 0, 2, 2);
  apart = bw_slice_append(apart, sizeof(int), &(int){99}, 1);
  CHECK(apart.ptr != s.ptr);
  CHECK_EQ(*BW_AT(int, s, 2), 22);
  *BW_AT(int, apart, 0) = 5;
  CHECK_EQ(*BW_AT(int, s, 0), 0);
  bw_slice_free(apart);
  bw_slice_free(s);
}

// The length may be known at run time only; cap >= len always.
TEST(slice_make_any_length) {
  for (ptrdiff_t n = 0; n < 3000; n = n * 3 / 2 + 1) {
    bw_slice s = bw_slice_make(sizeof(double), n, n + n / 2);
    CHECK_EQ(s.len, n);
    CHECK_EQ(s.cap, n + n / 2);
    for (ptrdiff_t i = 0; i < n; i++) *BW_AT(double, s, i) = (double)i;
    CHECK_EQ(bw_slice_slice(s, sizeof(double), 0, s.cap).len, s.cap);
    bw_slice_free(s);
  }
}

// Built by hand from a pointer, a length and a capacity, as the seed document shows.
TEST(slice_manual_construction) {
  unsigned char memory[6] = {1, 2, 3, 4, 5, 6};
  struct {
    void *addr;
    ptrdiff_t len, cap;
  } parts = {memory, 3, 6};
  bw_slice s;
  CHECK_EQ(sizeof parts, sizeof s);
  memcpy(&s, &parts, sizeof s);
  CHECK_EQ(*BW_AT(unsigned char, s, 2), 3);
  s = bw_slice_append(s, 1, "\x09", 1);
  CHECK_EQ(memory[3], 9);
  bw_slice whole = bw_slice_of(memory, 6);
  CHECK(whole.len == 6 && whole.cap == 6 && whole.ptr == memory);
  bw_slice none = bw_slice_of(NULL, 0);
  CHECK(none.ptr == NULL && none.cap == 0);
  CHECK_EQ(sizeof(bw_slice), 3 * sizeof(void *));
}
