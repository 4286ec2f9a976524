// Arrays are values: assigning, passing and returning copies every element; a slice of one shares.
#include "test.h"

typedef struct pair {
  int a, b;
} pair;
BW_SLICE_TYPE(pair);
BW_ARRAY_TYPE(int, 8);
BW_ARRAY_TYPE(pair, 3);
typedef BW_ARRAY(int, 8) row;
BW_SLICE_TYPE(row);
BW_ARRAY_TYPE(row, 2);

static int sum(BW_ARRAY(int, 8) a) {
  int total = 0;
  for (ptrdiff_t i = 0; i < bw_array_len(a); i++) total += bw_array_at(a, i), bw_array_at(a, i) = 0;
  return total;
}

static BW_ARRAY(int, 8) filled(int v) {
  BW_ARRAY(int, 8) a;
  for (int i = 0; i < 8; i++) bw_array_at(a, i) = v;
  return a;
}

static void change(BW_SLICE(int) view) { bw_at(view, 7) = 70; }

TEST(slice_array_is_a_value) {
  BW_ARRAY(int, 8) a = {{0, 1, 2, 3, 4, 5, 6, 7}}, b = a;
  CHECK_EQ(sizeof a, 8 * sizeof(int));
  CHECK_EQ(sum(a), 28); // its own copy is zeroed
  CHECK_EQ(sum(a), 28);
  bw_array_at(b, 3) = 33;
  CHECK_EQ(bw_array_at(a, 3), 3);
  BW_SLICE(int) view = bw_array_slice(int, a);
  CHECK(view.data == a.at && view.len == 8 && view.cap == 8);
  bw_at(view, 3) = 30;
  change(view); // the slice is copied, its array is not
  CHECK(a.at[3] == 30 && a.at[7] == 70 && b.at[3] == 33 && b.at[7] == 7);
  a = filled(5); // the view sees the variable, whatever is assigned to it
  CHECK_EQ(bw_at(view, 0), 5);
  CHECK_EQ(sum(a), 40);
}

TEST(slice_array_of_arrays) {
  BW_ARRAY(row, 2) a = {{filled(1), filled(2)}}, b = a;
  bw_array_at(bw_array_at(b, 1), 0) = 9;
  CHECK(a.at[1].at[0] == 2 && b.at[1].at[0] == 9);
  BW_SLICE(row) rows = BW_SLICE_LIT(row, filled(3), filled(4));
  row copy = bw_at(rows, 0);
  bw_array_at(bw_at(rows, 0), 0) = 7;
  CHECK(copy.at[0] == 3 && bw_at(rows, 0).at[0] == 7);
  bw_free_slice(rows);
}

TEST(slice_array_of_structs) {
  BW_ARRAY(pair, 3) a = {{{1, 2}, {3, 4}, {5, 6}}}, b = a;
  BW_SLICE(pair) s = bw_reslice3(bw_array_slice(pair, a), 1, 2, 2);
  s = bw_append(s, ((pair){7, 8})); // no room: goes elsewhere
  CHECK(s.data != a.at + 1 && a.at[2].a == 5 && bw_at(s, 1).a == 7);
  bw_array_at(b, 2).b = 60;
  CHECK_EQ(bw_array_at(a, 2).b, 6);
  bw_free_slice(s);
}

DEATH_TEST(slice_array_index, 2, "panic: runtime error: index out of range [8] with length 8") {
  BW_ARRAY(int, 8) a = filled(0);
  volatile int i = 8;
  bw_array_at(a, i) = 1;
}
DEATH_TEST(slice_array_index_negative, 2, "panic: runtime error: index out of range [-1]\n") {
  BW_ARRAY(int, 8) a = filled(0);
  volatile int i = -1;
  bw_array_at(a, i) = 1;
}
