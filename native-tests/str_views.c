// Strings as views: parts, comparing, searching against a search that is too simple to be wrong,
// trimming, cutting and splitting.
#include "test.h"

#include "base/rand.h"
#include "lib/str.h"

#define CHECK_SAYS(s, text) CHECK(bw_str_eq((s), BW_STR(text)))

TEST(str_literals_and_parts) {
  bw_str s = BW_STR("abc\0de");
  CHECK(s.len == 6 && bw_str_at(s, 3) == 0 && bw_str_at(s, 5) == 'e');
  CHECK_SAYS(bw_str_of("abc"), "abc");
  CHECK(bw_str_of(NULL).len == 0 && bw_str_of("").len == 0);
  CHECK_SAYS(bw_str_slice(s, 1, 3), "bc");
  CHECK(bw_str_slice(s, 1, 3).data == s.data + 1);
  CHECK_SAYS(bw_str_tail(s, 4), "de");
  CHECK_SAYS(bw_str_head(s, 2), "ab");
  CHECK(bw_str_tail(s, 6).len == 0);
  CHECK_SAYS(bw_str_slice((bw_str){0}, 0, 0), "");
  char high[] = {(char)0xff};
  CHECK_EQ(bw_str_at(bw_str_view(high, 1), 0), 255);
  CHECK(bw_str_view(NULL, 0).len == 0);
}

TEST(str_compare_order) {
  static const char *sorted[] = {"", "a", "aa", "ab", "b", "\x7f", "\x80", "\xff"};
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 8; j++) {
      bw_str s = bw_str_of(sorted[i]), t = bw_str_of(sorted[j]);
      CHECK_EQ(bw_str_compare(s, t), (i > j) - (i < j));
      CHECK(bw_str_eq(s, t) == (i == j));
    }
}

static ptrdiff_t find_plainly(bw_str s, bw_str sub, bool last) {
  ptrdiff_t found = -1;
  for (ptrdiff_t i = 0; i + sub.len <= s.len; i++) {
    bool here = true;
    for (ptrdiff_t k = 0; k < sub.len; k++) here = here && s.data[i + k] == sub.data[k];
    if (here && (last || found < 0)) found = i;
  }
  return found;
}

// Few letters, so that much nearly fits; some with high bits.
TEST(str_index_random) {
  bw__rand dice = {7};
  static const char letters[] = {'a', 'b', (char)0xe9};
  char text[200], sub[12];
  int found = 0, missed = 0;
  for (int round = 0; round < 20000; round++) {
    bw_str s = {text, bw__rand_below(&dice, sizeof text)}, t = {sub, bw__rand_below(&dice, 12)};
    uint32_t kinds = 1 + bw__rand_below(&dice, 3);
    for (ptrdiff_t i = 0; i < s.len; i++) text[i] = letters[bw__rand_below(&dice, kinds)];
    for (ptrdiff_t i = 0; i < t.len; i++) sub[i] = letters[bw__rand_below(&dice, kinds)];
    ptrdiff_t first = find_plainly(s, t, false), last = find_plainly(s, t, true);
    CHECK_EQ(bw_str_index(s, t), first);
    CHECK_EQ(bw_str_last_index(s, t), last);
    CHECK(bw_str_contains(s, t) == (first >= 0));
    CHECK(bw_str_has_prefix(s, t) == (first == 0));
    CHECK(bw_str_has_suffix(s, t) == (last >= 0 && last == s.len - t.len));
    first >= 0 ? found++ : missed++;
  }
  CHECK(found > 1000 && missed > 1000);
}

// Half a million times half a million would take minutes.
TEST(str_index_is_linear) {
  enum { N = 500000 };
  char *text = malloc(N), *sub = malloc(N / 2);
  CHECK(text && sub);
  memset(text, 'a', N);
  memset(sub, 'a', N / 2);
  bw_str s = {text, N}, t = {sub, N / 2};
  sub[N / 2 - 1] = 'b';
  CHECK_EQ(bw_str_index(s, t), -1);
  CHECK_EQ(bw_str_last_index(s, t), -1);
  text[N - 1] = 'b';
  CHECK_EQ(bw_str_index(s, t), N / 2);
  sub[0] = 'b', sub[N / 2 - 1] = 'a';
  CHECK_EQ(bw_str_last_index(s, t), -1);
  text[0] = 'b', text[N - 1] = 'a';
  CHECK_EQ(bw_str_last_index(s, t), 0);
  free(text);
  free(sub);
}

// Bytes looked at, for each byte of a text of n in which every eighth is an `a` and so is every
// eighth of what is looked for, n / 2 of them that differ in byte `odd` only.
static double looks_a_byte(ptrdiff_t n, ptrdiff_t odd) {
  char *text = malloc((size_t)n);
  CHECK(text);
  for (ptrdiff_t i = 0; i < n; i++) text[i] = i % 8 ? 'b' : 'a';
  char *sub = malloc((size_t)n / 2);
  CHECK(sub);
  memcpy(sub, text, (size_t)n / 2);
  sub[odd] = 'X';
  ptrdiff_t looks = 0;
  CHECK_EQ(bw__str_index((bw_str){text, n}, (bw_str){sub, n / 2}, &looks), -1);
  CHECK(looks >= n / 2); // it has gone over all places at least
  free(text);
  free(sub);
  return (double)looks / (double)n;
}

// Few false starts, but long ones: comparing n / 2 bytes at n / 16 places would be n / 32 for each.
TEST(str_index_counts_what_it_compares) {
  for (ptrdiff_t n = 4096; n <= 65536; n *= 4) {
    CHECK(looks_a_byte(n, n / 2 - 1) < 9);
    CHECK(looks_a_byte(n, n / 4) < 9);
    CHECK(looks_a_byte(n, 1000) < 9);
  }
}

TEST(str_index_of_empty) {
  bw_str s = BW_STR("abc"), none = {0};
  CHECK(bw_str_index(s, none) == 0 && bw_str_last_index(s, none) == 3);
  CHECK(bw_str_index(none, none) == 0 && bw_str_index(none, s) == -1);
  CHECK(bw_str_last_index(none, s) == -1 && bw_str_index_byte(none, 'a') == -1);
  CHECK(bw_str_has_prefix(s, none) && bw_str_has_suffix(s, none) && bw_str_has_suffix(none, none));
  CHECK_EQ(bw_str_index_byte(s, 'c'), 2);
}

TEST(str_cut_and_trim) {
  bw_str before, after;
  CHECK(bw_str_cut(BW_STR("a: b: c"), BW_STR(": "), &before, &after));
  CHECK_SAYS(before, "a");
  CHECK_SAYS(after, "b: c");
  CHECK(!bw_str_cut(BW_STR("abc"), BW_STR("x"), &before, &after));
  CHECK_SAYS(before, "abc");
  CHECK_SAYS(after, "");
  CHECK(bw_str_cut(BW_STR("abc"), BW_STR("c"), &before, &after));
  CHECK_SAYS(after, "");
  CHECK_SAYS(bw_str_trim_prefix(BW_STR("prefix"), BW_STR("pre")), "fix");
  CHECK_SAYS(bw_str_trim_prefix(BW_STR("prefix"), BW_STR("fix")), "prefix");
  CHECK_SAYS(bw_str_trim_suffix(BW_STR("prefix"), BW_STR("fix")), "pre");
  CHECK_SAYS(bw_str_trim_suffix(BW_STR("x"), BW_STR("xx")), "x");
  CHECK_SAYS(bw_str_trim_space(BW_STR(" \t\r\n\v\f a b \n")), "a b");
  CHECK_SAYS(bw_str_trim_space(BW_STR("\xc2\x85\xc2\xa0x\xe2\x80\x83\xe3\x80\x80")), "x");
  CHECK_SAYS(bw_str_trim_space(BW_STR("\xc2\xa1 \xa0")), "\xc2\xa1 \xa0"); // neither is a space
  CHECK_SAYS(bw_str_trim_space(BW_STR(" \n ")), "");
  CHECK_SAYS(bw_str_trim(BW_STR("\xc3\xa9xx\xc3\xa9yx"), BW_STR("x\xc3\xa9")), "y");
  CHECK_SAYS(bw_str_trim(BW_STR("xyx"), BW_STR("")), "xyx");
}

static void check_split(bw_str s, bw_str sep, const char *want) {
  char said[100];
  size_t n = 0;
  bw_split it = bw_str_split(s, sep);
  for (bw_str part; bw_split_next(&it, &part);)
    n += (size_t)snprintf(said + n, sizeof said - n, "[%.*s]", BW_STR_ARG(part));
  said[n] = 0;
  CHECK_STR(said, want);
  bw_str kept = BW_STR("kept");
  CHECK(!bw_split_next(&it, &kept) && kept.len == 4);
}

TEST(str_split_as_go) {
  check_split(BW_STR("a,b,c"), BW_STR(","), "[a][b][c]");
  check_split(BW_STR(",a,,b,"), BW_STR(","), "[][a][][b][]");
  check_split(BW_STR(""), BW_STR(","), "[]");
  check_split(BW_STR(","), BW_STR(","), "[][]");
  check_split(BW_STR("abc"), BW_STR(", "), "[abc]");
  check_split(BW_STR("a, b, c"), BW_STR(", "), "[a][b][c]");
  check_split(BW_STR("aaa"), BW_STR("aa"), "[][a]");
  check_split(BW_STR("a\xc3\xa9z"), BW_STR(""), "[a][\xc3\xa9][z]");
  check_split(BW_STR("\xff\xc3"), BW_STR(""), "[\xff][\xc3]");
  check_split(BW_STR(""), BW_STR(""), "");
}

#define RUNTIME "panic: runtime error: "

DEATH_TEST(str_index_beyond, 2, RUNTIME "index out of range [3] with length 3") {
  bw_str_at(BW_STR("abc"), 3);
}
DEATH_TEST(str_index_negative, 2, RUNTIME "index out of range [-1]\n") {
  bw_str_at(BW_STR("abc"), -1);
}
DEATH_TEST(str_bounds_high, 2, RUNTIME "slice bounds out of range [:5] with length 3") {
  bw_str_slice(BW_STR("abc"), 0, 5);
}
DEATH_TEST(str_bounds_high_negative, 2, RUNTIME "slice bounds out of range [:-1]\n") {
  bw_str_head(BW_STR("abc"), -1);
}
DEATH_TEST(str_bounds_low, 2, RUNTIME "slice bounds out of range [4:3]\n") {
  bw_str_tail(BW_STR("abc"), 4);
}
DEATH_TEST(str_bounds_low_negative, 2, RUNTIME "slice bounds out of range [-2:]\n") {
  bw_str_tail(BW_STR("abc"), -2);
}
DEATH_TEST(str_view_negative, 2, RUNTIME "unsafe.String: len out of range") { bw_str_view("", -1); }
DEATH_TEST(str_view_null, 2, RUNTIME "unsafe.String: ptr is nil and len is not zero") {
  bw_str_view(NULL, 1);
}
