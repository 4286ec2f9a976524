// Compiled without bounds checks: wrong bounds are not noticed. (What is read here lies in the
// array, beyond the slice.)
#define BW_NO_BOUNDS_CHECKS
#include "test.h"

BW_ARRAY_TYPE(int, 6);

TEST(slice_no_bounds_checks) {
  static BW_ARRAY(int, 6) a = {{10, 11, 12, 13, 14, 15}};
  BW_SLICE(int) s = bw_head(bw_array_slice(int, a), 3);
  volatile ptrdiff_t four = 4;
  CHECK_EQ(bw_at(s, four), 14);
  CHECK_EQ(*BW_AT(int, s.untyped, four), 14);
  BW_SLICE(int) middle = bw_reslice(s, 1, 3);
  CHECK_EQ(bw_at(middle, -1), 10);
  BW_SLICE(int) none = bw_reslice3(s, 0, 0, 3);
  none = bw_reslice(none, 0, four); // beyond its capacity
  CHECK_EQ(none.len, 4);
  CHECK_EQ(bw_at(none, 3), 13);
  BW_SLICE(int) backwards = bw_reslice(s, 3, 2);
  CHECK_EQ(backwards.len, -1);
}

// Lengths are checked all the same.
DEATH_TEST(slice_no_bounds_checks_but_lengths, 2, "makeslice: len out of range") {
  bw_slice_make(8, -1, 0);
}
DEATH_TEST(slice_no_bounds_checks_but_places, 2, "slice bounds out of range [4:3]") {
  BW_SLICE(int) s = {0};
  if (bw_push(&s, 1, 2, 3) == 0) bw_insert(&s, 4, 4);
}
