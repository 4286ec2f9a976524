// UTF-8: every rune there and back, every pair and triple of bytes against the definition.
#include "test.h"

static bool is_rune(int32_t r) { return r >= 0 && r <= 0x10ffff && (r < 0xd800 || r > 0xdfff); }

// Encoded from the definition: how many bytes a number takes, 6 bits each but in the first.
static int encode_plainly(char *out, int32_t r) {
  if (r < 0x80) return out[0] = (char)r, 1;
  if (r < 0x800) return out[0] = (char)(0xc0 + (r >> 6)), out[1] = (char)(0x80 + r % 64), 2;
  if (r < 0x10000) {
    out[0] = (char)(0xe0 + (r >> 12)), out[1] = (char)(0x80 + (r >> 6) % 64);
    return out[2] = (char)(0x80 + r % 64), 3;
  }
  out[0] = (char)(0xf0 + (r >> 18)), out[1] = (char)(0x80 + (r >> 12) % 64);
  return out[2] = (char)(0x80 + (r >> 6) % 64), out[3] = (char)(0x80 + r % 64), 4;
}

TEST(str_all_runes_there_and_back) {
  for (int32_t r = 0; r <= 0x10ffff + 10; r++) {
    char out[4], want[4];
    int n = bw_rune_encode(out, r);
    CHECK_EQ(n, encode_plainly(want, is_rune(r) ? r : 0xfffd));
    CHECK(memcmp(out, want, (size_t)n) == 0);
    ptrdiff_t width;
    CHECK_EQ(bw_rune_decode(bw_str_view(out, n), &width), is_rune(r) ? r : 0xfffd);
    CHECK_EQ(width, n);
    CHECK_EQ(bw_rune_decode_last(bw_str_view(out, n), &width), is_rune(r) ? r : 0xfffd);
    CHECK_EQ(width, n);
    if (n == 1) continue; // one byte less is none
    CHECK_EQ(bw_rune_decode(bw_str_view(out, n - 1), &width), BW_RUNE_ERROR);
    CHECK_EQ(width, 1);
  }
  char out[4];
  CHECK(bw_rune_encode(out, -1) == 3 && memcmp(out, "\xef\xbf\xbd", 3) == 0);
}

// The rune that bytes are, -1: none, from the definition: the one rune whose encoding they are.
static int32_t decode_plainly(const unsigned char *b, int n) {
  int32_t r = n == 1 ? b[0] : n == 2 ? b[0] & 31 : n == 3 ? b[0] & 15 : b[0] & 7;
  for (int i = 1; i < n; i++) r = r * 64 + (b[i] & 63);
  char again[4];
  if (!is_rune(r) || encode_plainly(again, r) != n || memcmp(again, b, (size_t)n) != 0) return -1;
  return r;
}

static void check_bytes(const unsigned char *b, int n) {
  int32_t want = BW_RUNE_ERROR;
  ptrdiff_t want_width = 1, width;
  for (int k = 1; k <= n; k++)
    if (decode_plainly(b, k) >= 0) {
      want = decode_plainly(b, k), want_width = k;
      break;
    }
  CHECK_EQ(bw_rune_decode(bw_str_view(b, n), &width), want);
  CHECK_EQ(width, want_width);
}

TEST(str_decode_all_pairs_and_triples) {
  for (int a = 0; a < 256; a++)
    for (int b = 0; b < 256; b++) {
      check_bytes((unsigned char[]){(unsigned char)a, (unsigned char)b}, 2);
      for (int c = 0x7e; c <= 0xc1; c += c == 0x80 ? 0x3e : 1) // around the edges
        check_bytes((unsigned char[]){(unsigned char)a, (unsigned char)b, (unsigned char)c}, 3);
      if (a < 0xee) continue;
      static const unsigned char edges[] = {0x7f, 0x80, 0xbf, 0xc0};
      for (int i = 0; i < 16; i++)
        check_bytes(
            (unsigned char[]){(unsigned char)a, (unsigned char)b, edges[i / 4], edges[i % 4]}, 4);
    }
}

// for i, r := range: what Go prints for these strings.
static void check_range(bw_str s, const char *want) {
  char said[200];
  size_t n = 0;
  ptrdiff_t count = 0;
  bool valid = true;
  bw_runes it = bw_str_runes(s);
  for (; bw_runes_next(&it); count++) {
    n += (size_t)snprintf(said + n, sizeof said - n, "%td:%x ", it.index, (unsigned)it.rune);
    if (it.rune == BW_RUNE_ERROR && it.width == 1) valid = false;
  }
  said[n] = 0;
  CHECK_STR(said, want);
  CHECK(!bw_runes_next(&it));
  CHECK_EQ(bw_str_rune_count(s), count);
  CHECK(bw_str_valid(s) == valid);
  bw_slice runes = bw_str_to_runes(s);
  CHECK_EQ(runes.len, count);
  it = bw_str_runes(s);
  for (ptrdiff_t i = 0; bw_runes_next(&it); i++) CHECK_EQ(*BW_AT(bw_rune, runes, i), it.rune);
  bw_slice_free(runes);
}

TEST(str_range_as_go) {
  check_range(BW_STR(""), "");
  check_range(BW_STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"), "0:61 1:e9 3:20ac 6:1f600 10:7a ");
  check_range(BW_STR("\xff\xfe"), "0:fffd 1:fffd ");
  check_range(BW_STR("a\xe2\x82z"), "0:61 1:fffd 2:fffd 3:7a "); // cut short
  check_range(BW_STR("\xed\xa0\x80"), "0:fffd 1:fffd 2:fffd ");  // a surrogate
  check_range(BW_STR("\xc0\x80"), "0:fffd 1:fffd ");             // longer than need be
  check_range(BW_STR("\xf4\x90\x80\x80"), "0:fffd 1:fffd 2:fffd 3:fffd ");
  check_range(BW_STR("\xef\xbf\xbd"), "0:fffd "); // the rune itself is valid
  check_range(BW_STR("a\0b"), "0:61 1:0 2:62 ");
}

TEST(str_count_and_valid_in_long_texts) {
  char text[64];
  for (int at = 0; at < 60; at++)
    for (int bad = 0; bad < 2; bad++) {
      memset(text, 'x', sizeof text);
      for (int k = 0; k < 3; k++) text[at + k] = (bad ? "\xe2\x82\x28" : "\xe2\x82\xac")[k];
      CHECK_EQ(bw_str_rune_count(bw_str_view(text, 64)), bad ? 64 : 62);
      CHECK(bw_str_valid(bw_str_view(text, 64)) == !bad);
    }
}

TEST(str_decode_last_of_broken) {
  ptrdiff_t width;
  CHECK(bw_rune_decode_last((bw_str){0}, &width) == BW_RUNE_ERROR && width == 0);
  CHECK(bw_rune_decode((bw_str){0}, &width) == BW_RUNE_ERROR && width == 0);
  CHECK(bw_rune_decode_last(BW_STR("\xa9"), &width) == BW_RUNE_ERROR && width == 1);
  CHECK(bw_rune_decode_last(BW_STR("a\x80\x80\x80\x80"), &width) == BW_RUNE_ERROR && width == 1);
  CHECK(bw_rune_decode_last(BW_STR("\xc3\xa9\xa9"), &width) == BW_RUNE_ERROR && width == 1);
  CHECK(bw_rune_decode_last(BW_STR("\xe2\x82"), &width) == BW_RUNE_ERROR && width == 1);
  CHECK(bw_rune_decode_last(BW_STR("\xffz"), &width) == 'z' && width == 1);
}
