// UTF-8: decoding, encoding, counting.
//
// The first byte says how many there are and bounds the second, which is all that tells a rune from
// a form that is too long (C0, C1, E0 80-9F, F0 80-8F), a surrogate (ED A0-BF) and a number above
// U+10FFFF (F4 90.., F5..): the others are 80-BF. What is no UTF-8 is one byte wide, so that
// decoding finds the next rune by itself.
//
// Locks: none. Blocks: never.
#include <burrow/string.h>

#include "base/config.h"

// How many bytes begin with `first`, and what the second may be. 0: none do.
static int bytes_of(uint8_t first, uint8_t *low, uint8_t *high) {
  *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

bw_rune bw_rune_decode(bw_str s, ptrdiff_t *width) {
  const uint8_t *at = (const uint8_t *)s.data;
  *width = s.len > 0;
  if (s.len <= 0) return BW_RUNE_ERROR;
  uint8_t low, high;
  int n = bytes_of(at[0], &low, &high);
  if (n == 1) return at[0];
  if (n == 0 || n > s.len || at[1] < low || at[1] > high) return BW_RUNE_ERROR;
  bw_rune rune = (at[0] & (0x7f >> n)) << 6 | (at[1] & 0x3f);
  for (int i = 2; i < n; i++) {
    if ((at[i] & 0xc0) != 0x80) return BW_RUNE_ERROR;
    rune = rune << 6 | (at[i] & 0x3f);
  }
  *width = n;
  return rune;
}

bw_rune bw_rune_decode_last(bw_str s, ptrdiff_t *width) {
  ptrdiff_t start = s.len - 1;
  while (start > 0 && s.len - start < BW_UTF8_MAX && (s.data[start] & 0xc0) == 0x80) start--;
  if (start >= 0) {
    bw_rune rune = bw_rune_decode((bw_str){s.data + start, s.len - start}, width);
    if (start + *width == s.len) return rune;
  }
  *width = s.len > 0;
  return BW_RUNE_ERROR;
}

int bw_rune_encode(char out[BW_UTF8_MAX], bw_rune rune) {
  if (rune < 0 || rune > BW_RUNE_MAX || (rune >= 0xd800 && rune <= 0xdfff)) rune = BW_RUNE_ERROR;
  if (rune < 0x80) {
    out[0] = (char)rune;
    return 1;
  }
  int n = rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
  for (int i = n; i-- > 1; rune >>= 6) out[i] = (char)(0x80 | (rune & 0x3f));
  out[0] = (char)((0xf00 >> n) | rune);
  return n;
}

// How many bytes at `at` are below 0x80: a multiple of 8, at most n.
static ptrdiff_t plain(const char *at, ptrdiff_t n) {
  ptrdiff_t i = 0;
  for (uint64_t word; i + 8 <= n; i += 8) {
    memcpy(&word, at + i, 8);
    if (word & 0x8080808080808080u) break;
  }
  return i;
}

// Goes through s until `stop_at_error` meets what is no UTF-8. The runes before that are counted.
static bool go_through(bw_str s, bool stop_at_error, ptrdiff_t *count) {
  *count = 0;
  for (ptrdiff_t i = 0, width; i < s.len; i += width, ++*count) {
    ptrdiff_t n = plain(s.data + i, s.len - i);
    i += n;
    *count += n;
    if (i == s.len) break;
    bw_rune rune = bw_rune_decode((bw_str){s.data + i, s.len - i}, &width);
    if (stop_at_error && rune == BW_RUNE_ERROR && width == 1) return false;
  }
  return true;
}

ptrdiff_t bw_str_rune_count(bw_str s) {
  ptrdiff_t count;
  go_through(s, false, &count);
  return count;
}

bool bw_str_valid(bw_str s) {
  ptrdiff_t count;
  return go_through(s, true, &count);
}
