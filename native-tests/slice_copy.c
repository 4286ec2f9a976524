// copy: how many, exactly which, and nothing else; for all lengths and all offsets.
#include "test.h"

#include "slice_util.h"

enum { LENGTHS = 40, OFFSETS = 32, ROOM = 80 };

// Fills in[] and out[] with different patterns that never meet.
static void fill(unsigned char *in, unsigned char *out, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    in[i] = (unsigned char)(1 + i % 100);
    out[i] = (unsigned char)(128 + i % 100);
  }
}

// behaviour 162: copy(out[to:to+out_len], in[from:from+in_len])
static void check_copy(size_t size, ptrdiff_t in_len, ptrdiff_t out_len, ptrdiff_t from,
                       ptrdiff_t to) {
  static unsigned char in[ROOM * 16], out[ROOM * 16], in_was[ROOM * 16], out_was[ROOM * 16];
  fill(in, out, ROOM * size);
  fill(in_was, out_was, ROOM * size);
  bw_slice src = bw_slice_slice(bw_slice_of(in, ROOM), size, from, from + in_len);
  bw_slice dst = bw_slice_slice(bw_slice_of(out, ROOM), size, to, to + out_len);
  ptrdiff_t n = in_len < out_len ? in_len : out_len;
  CHECK_EQ(bw_slice_copy(dst, src, size), n);
  CHECK(same_bytes(in, in_was, ROOM * size));
  size_t start = (size_t)to * size, end = (size_t)(to + n) * size;
  CHECK(same_bytes(out, out_was, start));
  CHECK(same_bytes(out + start, in + (size_t)from * size, end - start));
  CHECK(same_bytes(out + end, out_was + end, ROOM * size - end));
}

static void check_all(size_t size) {
  for (ptrdiff_t n = 0; n <= LENGTHS; n++)
    for (ptrdiff_t from = 0; from <= OFFSETS; from++)
      for (ptrdiff_t to = 0; to <= OFFSETS; to++) {
        check_copy(size, n, n, from, to);
        if (from % 8 == 1 && to % 8 == 3) { // the shorter of the two decides
          check_copy(size, n, LENGTHS, from, to);
          check_copy(size, LENGTHS, n, from, to);
        }
      }
}

TEST(slice_b162_all_offsets_size1) { check_all(1); }
TEST(slice_b162_all_offsets_size2) { check_all(2); }
TEST(slice_b162_all_offsets_size4) { check_all(4); }
TEST(slice_b162_all_offsets_size8) { check_all(8); }
TEST(slice_b162_all_offsets_size16) { check_all(16); }

// behaviour 162: a string as the source
TEST(slice_b162_from_string) {
  char text[] = "0123456789", out[8] = "xxxxxxx";
  bw_slice dst = bw_slice_of(out, 7);
  CHECK_EQ(bw_slice_copy(dst, bw_slice_of(text, 10), 1), 7);
  CHECK_STR(out, "0123456");
  CHECK_EQ(bw_slice_copy(dst, bw_slice_of(text + 8, 2), 1), 2);
  CHECK_STR(out, "8923456");
  CHECK_EQ(bw_slice_copy(dst, (bw_slice){0}, 1), 0);
  CHECK_EQ(bw_slice_copy((bw_slice){0}, dst, 1), 0);
}

// Both directions of overlap within one array.
TEST(slice_b162_overlap) {
  for (ptrdiff_t from = 0; from < 12; from++)
    for (ptrdiff_t to = 0; to < 12; to++) {
      int32_t a[24];
      for (int i = 0; i < 24; i++) a[i] = i;
      bw_slice s = bw_slice_of(a, 24);
      CHECK_EQ(bw_slice_copy(bw_slice_slice(s, 4, to, to + 12),
                             bw_slice_slice(s, 4, from, from + 12), 4),
               12);
      for (int i = 0; i < 24; i++) CHECK_EQ(a[i], i >= to && i < to + 12 ? i - to + from : i);
    }
}
