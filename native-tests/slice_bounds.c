// Every panic, in Go's words, with status 2.
#include "test.h"

static int64_t array[9];

static bw_slice three(void) { return (bw_slice){array, 3, 3}; }

#define RUNTIME "panic: runtime error: "

// s[i]
DEATH_TEST(slice_index_beyond, 2, RUNTIME "index out of range [5] with length 3") {
  *BW_AT(int64_t, three(), 5) = 1;
}
DEATH_TEST(slice_index_at_len, 2, RUNTIME "index out of range [3] with length 3") {
  bw_slice s = {array, 3, 9};
  *BW_AT(int64_t, s, 3) = 1;
}
DEATH_TEST(slice_index_negative, 2, RUNTIME "index out of range [-1]\n") {
  *BW_AT(int64_t, three(), -1) = 1;
}
DEATH_TEST(slice_index_of_nil, 2, RUNTIME "index out of range [0] with length 0") {
  *BW_AT(int64_t, (bw_slice){0}, 0) = 1;
}

// s[low:high]
DEATH_TEST(slice_bounds_high, 2, RUNTIME "slice bounds out of range [:5] with capacity 3") {
  bw_slice_slice(three(), 8, 0, 5);
}
DEATH_TEST(slice_bounds_high_negative, 2, RUNTIME "slice bounds out of range [:-2]\n") {
  bw_slice_slice(three(), 8, 0, -2);
}
DEATH_TEST(slice_bounds_low, 2, RUNTIME "slice bounds out of range [3:2]\n") {
  bw_slice_slice(three(), 8, 3, 2);
}
DEATH_TEST(slice_bounds_low_negative, 2, RUNTIME "slice bounds out of range [-1:]\n") {
  bw_slice_slice(three(), 8, -1, 2);
}
DEATH_TEST(slice_bounds_high_is_looked_at_first, 2,
           RUNTIME "slice bounds out of range [:4] with capacity 3") {
  bw_slice_slice(three(), 8, 9, 4);
}

// s[low:high:max]
DEATH_TEST(slice_bounds3_max, 2, RUNTIME "slice bounds out of range [::5] with capacity 3") {
  bw_slice_slice3(three(), 8, 0, 1, 5);
}
DEATH_TEST(slice_bounds3_max_negative, 2, RUNTIME "slice bounds out of range [::-1]\n") {
  bw_slice_slice3(three(), 8, 0, 0, -1);
}
DEATH_TEST(slice_bounds3_high, 2, RUNTIME "slice bounds out of range [:4:3]\n") {
  bw_slice_slice3(three(), 8, 0, 4, 3);
}
DEATH_TEST(slice_bounds3_high_negative, 2, RUNTIME "slice bounds out of range [:-4:]\n") {
  bw_slice_slice3(three(), 8, 0, -4, 3);
}
DEATH_TEST(slice_bounds3_low, 2, RUNTIME "slice bounds out of range [3:2:]\n") {
  bw_slice_slice3(three(), 8, 3, 2, 3);
}
DEATH_TEST(slice_bounds3_low_negative, 2, RUNTIME "slice bounds out of range [-3::]\n") {
  bw_slice_slice3(three(), 8, -3, 2, 3);
}

// make; behaviours 163 and 166
DEATH_TEST(slice_b163_b166_make_len_negative, 2, RUNTIME "makeslice: len out of range") {
  bw_slice_make(8, -1, 4);
}
DEATH_TEST(slice_b166_make_len_overflow, 2, RUNTIME "makeslice: len out of range") {
  bw_slice_make(8, PTRDIFF_MAX / 8 + 1, PTRDIFF_MAX);
}
DEATH_TEST(slice_b166_make_cap_below_len, 2, RUNTIME "makeslice: cap out of range") {
  bw_slice_make(8, 4, 3);
}
DEATH_TEST(slice_b166_make_cap_negative, 2, RUNTIME "makeslice: cap out of range") {
  bw_slice_make(8, 0, -1);
}
DEATH_TEST(slice_b166_make_cap_overflow, 2, RUNTIME "makeslice: cap out of range") {
  bw_slice_make(8, 1, PTRDIFF_MAX / 8 + 1);
}
DEATH_TEST(slice_b166_make_empty_elements_negative, 2, RUNTIME "makeslice: len out of range") {
  bw_slice_make(0, -1, 0);
}

// append; behaviour 166
DEATH_TEST(slice_b166_append_bytes_overflow, 2, RUNTIME "growslice: len out of range") {
  bw_slice_append((bw_slice){0}, 16, array, PTRDIFF_MAX / 16 + 1);
}
DEATH_TEST(slice_b166_append_count_overflow, 2, RUNTIME "growslice: len out of range") {
  bw_slice s = {array, PTRDIFF_MAX - 1, PTRDIFF_MAX - 1};
  bw_slice_append(s, 0, array, 2);
}
DEATH_TEST(slice_b166_push_negative, 2, RUNTIME "growslice: len out of range") {
  bw_slice s = three();
  bw_slice_push(&s, 8, array, -1);
}

// a slice of a pointer
DEATH_TEST(slice_of_negative, 2, RUNTIME "unsafe.Slice: len out of range") {
  bw_slice_of(array, -1);
}
DEATH_TEST(slice_of_null, 2, RUNTIME "unsafe.Slice: ptr is nil and len is not zero") {
  bw_slice_of(NULL, 1);
}
