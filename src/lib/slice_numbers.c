// Slices: sorting numbers.
//
// Every kind of number is made into an unsigned one of the same size whose order is the same, in
// place; then four functions are enough, and afterwards all is made back. Signed: the sign bit is
// flipped. Floats (IEEE 754): the bits of a negative one are all flipped, of a positive one the
// sign. Not-a-numbers have no place in an order: they are put in front first, and left out.
// Minus zero so comes before zero, which are equal.
//
// Bytes are counted. The others are sorted as in slice_sort.c (sort_of.h), but with elements in
// registers: nothing can interrupt.
//
// Locks: none. Blocks: never.
#include <burrow/slice.h>

#include "base/config.h"

#define NUMBER  uint16_t
#define NAME(x) x##_2
#include "lib/sort_of.h"
#undef NUMBER
#undef NAME

#define NUMBER  uint32_t
#define NAME(x) x##_4
#include "lib/sort_of.h"
#undef NUMBER
#undef NAME

#define NUMBER  uint64_t
#define NAME(x) x##_8
#include "lib/sort_of.h"
#undef NUMBER
#undef NAME

static void count_bytes(uint8_t *at, size_t n, uint8_t flip) {
  size_t counts[256] = {0};
  for (size_t i = 0; i < n; i++) counts[at[i] ^ flip]++;
  for (unsigned byte = 0; byte < 256; at += counts[byte++])
    memset(at, (int)(byte ^ flip), counts[byte]);
}

void bw_slice_sort_numbers(bw_slice s, size_t elem_size, bw_number kind) {
  size_t n = s.len < 0 ? 0 : (size_t)s.len;
  if (n < 2) return;
  switch (elem_size) {
  case 1: count_bytes(s.ptr, n, kind == BW_NUMBER_SIGNED ? 0x80 : 0); break;
  case 2: sort_2(s.ptr, n, kind, 0, 0); break;
  case 4: sort_4(s.ptr, n, kind, 0x7f800000, 31); break;
  case 8: sort_8(s.ptr, n, kind, 0x7ff0000000000000, 63); break;
  default: break; // there are no others
  }
}
