// Typed slices: the same core, seen with a type. What must not compile is in compile/slice_of.c.
#include "test.h"

#include "slice_util.h"

#include <complex.h>

typedef struct point {
  int64_t x;
  char name[5];
} point;
typedef const char *text;
typedef void *any;
typedef double complex dcomplex;
typedef float complex fcomplex;
typedef int (*function)(int);
BW_SLICE_TYPE(point);
BW_SLICE_TYPE(text);
BW_SLICE_TYPE(any);
BW_SLICE_TYPE(dcomplex);
BW_SLICE_TYPE(fcomplex);
BW_SLICE_TYPE(function);
typedef BW_SLICE(int) ints;
BW_SLICE_TYPE(ints);

BW_ORDER(by_x, point, a, b, a->x < b->x);
BW_ORDER(by_name, point, a, b, strcmp(a->name, b->name) < 0);
BW_ORDER(by_text, text, a, b, strcmp(*a, *b) < 0);

TEST(slice_typed_layout) {
  CHECK_EQ(sizeof(BW_SLICE(int)), sizeof(bw_slice));
  CHECK_EQ(offsetof(BW_SLICE(int), data), offsetof(bw_slice, ptr));
  CHECK_EQ(offsetof(BW_SLICE(int), len), offsetof(bw_slice, len));
  CHECK_EQ(offsetof(BW_SLICE(int), cap), offsetof(bw_slice, cap));
  BW_SLICE(int) s = BW_SLICE_MAKE(int, 2, 5);
  CHECK(bw_ok(s) && s.untyped.ptr == s.data && s.untyped.len == 2 && s.untyped.cap == 5);
  s.untyped = bw_slice_append(s.untyped, sizeof(int), &(int){7}, 1); // both views, one slice
  CHECK_EQ(bw_at(s, 2), 7);
  bw_free_slice(s);
}

// behaviour 159: append of 0, 1 and 3 values and of slices, to empty and to others, type by type.
// A, B and C are three different values of T.
#define CHECK_APPENDS(T, A, B, C)                                                                  \
  do {                                                                                             \
    T v[3] = {A, B, C};                                                                            \
    BW_SLICE(T) nil = {0}, none = bw_append_n(nil, v, 0);                                          \
    CHECK(none.data == NULL && none.len == 0 && none.cap == 0);                                    \
    BW_SLICE(T) one = bw_append(nil, A), three = bw_append(nil, A, B, C);                          \
    CHECK(bw_ok(one) && bw_ok(three) && one.len == 1 && three.len == 3);                           \
    CHECK(same_bytes(one.data, v, sizeof *v) && same_bytes(three.data, v, sizeof v));              \
    BW_SLICE(T) four = bw_append(one, A, B, C), six = bw_append_all(three, three);                 \
    CHECK(four.len == 4 && six.len == 6 && one.len == 1 && three.len == 3);                        \
    CHECK(same_bytes(four.data, v, sizeof *v) && same_bytes(four.data + 1, v, sizeof v));          \
    CHECK(same_bytes(six.data, v, sizeof v) && same_bytes(six.data + 3, v, sizeof v));             \
    BW_SLICE(T) same = bw_append_all(three, nil), lit = BW_SLICE_LIT(T, A, B, C);                  \
    CHECK(same.data == three.data && same.len == 3);                                               \
    CHECK(lit.len == 3 && lit.cap == 3 && same_bytes(lit.data, v, sizeof v));                      \
    if (six.data != three.data) bw_free_slice(six);                                                \
    if (four.data != one.data) bw_free_slice(four);                                                \
    bw_free_slice(one);                                                                            \
    bw_free_slice(three);                                                                          \
    bw_free_slice(lit);                                                                            \
  } while (0)

static int twice(int n) { return 2 * n; }

TEST(slice_b159_typed_kinds) {
  static point p = {1, "one"}, q = {2, "two"}, r = {3, "3"};
  int x = 0;
  CHECK_APPENDS(bool, true, false, true);
  CHECK_APPENDS(char, 'a', 'b', 'c');
  CHECK_APPENDS(int8_t, 1, -2, 127);
  CHECK_APPENDS(int16_t, 1, -2, 32767);
  CHECK_APPENDS(int32_t, 1, -2, INT32_MAX);
  CHECK_APPENDS(int64_t, 1, -2, INT64_MAX);
  CHECK_APPENDS(uint8_t, 1, 2, 255);
  CHECK_APPENDS(uint16_t, 1, 2, 65535);
  CHECK_APPENDS(uint32_t, 1, 2, UINT32_MAX);
  CHECK_APPENDS(uint64_t, 1, 2, UINT64_MAX);
  CHECK_APPENDS(int, 1, 2, 3);
  CHECK_APPENDS(unsigned, 1, 2, 3);
  CHECK_APPENDS(long, 1, 2, 3);
  CHECK_APPENDS(size_t, 1, 2, SIZE_MAX);
  CHECK_APPENDS(float, 1, 2.5f, -3);
  CHECK_APPENDS(double, 1, 2.5, -3);
  CHECK_APPENDS(fcomplex, 1, 2, 3 + 4 * I);
  CHECK_APPENDS(dcomplex, 1, 2, 3 + 4 * I);
  CHECK_APPENDS(text, "one", NULL, "three");
  CHECK_APPENDS(any, &x, NULL, &p);
  CHECK_APPENDS(function, twice, NULL, twice);
  CHECK_APPENDS(point, p, q, r);
}

TEST(slice_b160_typed_overlap) {
  BW_SLICE(char) x = BW_SLICE_LIT(char, '1', '2', '3', '4');
  BW_SLICE(char) y = bw_append_all(bw_tail(x, 1), x);
  CHECK(y.len == 7 && memcmp(y.data, "2341234", 7) == 0);
  CHECK(memcmp(x.data, "1234", 4) == 0);
  bw_free_slice(y);
  CHECK_EQ(bw_grow(&x, 10), 0);
  y = bw_append_all(bw_tail(x, 1), x); // within the array
  CHECK(y.data == x.data + 1 && memcmp(y.data, "2341234", 7) == 0);
  CHECK_EQ(bw_push_all(&x, x), 0);
  CHECK(x.len == 8 && memcmp(x.data, "12341234", 8) == 0);
  bw_free_slice(x);
}

// behaviour 161: what an argument's evaluation does to the array comes before the copy.
static BW_SLICE(int) ordered;

static int spoil_and_return(void) {
  bw_at(bw_head(ordered, 1), 0) = 3;
  return 2;
}

TEST(slice_b161_typed_values_first) {
  ordered = BW_SLICE_MAKE(int, 0, 10);
  ordered = bw_append(ordered, 1, spoil_and_return());
  CHECK(bw_at(ordered, 0) == 1 && bw_at(ordered, 1) == 2);
  int i = 0;
  ordered = bw_append(ordered, i++);
  bw_at(ordered, i++) = 5;
  CHECK(i == 2 && bw_at(ordered, 1) == 5); // each argument once
  bw_free_slice(ordered);
}

TEST(slice_b162_typed_copy) {
  BW_SLICE(int) a = BW_SLICE_LIT(int, 1, 2, 3, 4, 5), b = BW_SLICE_MAKE(int, 3, 3);
  CHECK_EQ(bw_copy(b, a), 3);
  CHECK_EQ(bw_at(b, 2), 3);
  CHECK_EQ(bw_copy(bw_tail(a, 1), a), 4);
  CHECK(bw_at(a, 0) == 1 && bw_at(a, 1) == 1 && bw_at(a, 4) == 4);
  int c[4] = {9, 8, 7, 6};
  CHECK_EQ(bw_copy(b, BW_SLICE_ARRAY(int, c)), 3);
  CHECK_EQ(bw_at(b, 0), 9);
  bw_free_slice(a);
  bw_free_slice(b);
}

TEST(slice_b164_typed_units) {
  BW_SLICE(bw_unit) s = {0};
  s = bw_append(s, BW_UNIT);
  CHECK(s.data != NULL && s.len == 1 && s.cap == 1);
  CHECK_EQ(bw_push(&s, BW_UNIT, BW_UNIT, BW_UNIT), 0);
  CHECK_EQ(s.len, 4);
  int n = 0;
  BW_EACH(u, s) n += u != NULL;
  CHECK_EQ(n, 4);
  CHECK(&bw_at(s, 3) == s.data);
  s = bw_delete(s, 0, 2);
  CHECK_EQ(bw_tail(s, 1).len, 1);
  bw_free_slice(s);
}

// One append after the other through the typed macros, both rules.
TEST(slice_b165_typed_growth) {
  static const ptrdiff_t rules[] = {BW_GROWTH_GO118, BW_GROWTH_CLASSIC};
  for (int k = 0; k < 2; k++) {
    BW_SLICE(int64_t) s = {0};
    for (int64_t i = 0; i < 3000; i++) {
      ptrdiff_t cap = bw_slice_next_cap((bw_growth)rules[k], 8, s.cap, s.len + 1);
      BW_SLICE(int64_t) t = bw_append_rule((bw_growth)rules[k], s, &i, 1);
      CHECK_EQ(t.cap, cap);
      if (t.data != s.data) bw_free_slice(s);
      s = t;
    }
    for (int64_t i = 0; i < 3000; i++) CHECK_EQ(bw_at(s, i), i);
    bw_free_slice(s);
  }
}

TEST(slice_typed_windows) {
  int c[6] = {0, 1, 2, 3, 4, 5};
  BW_SLICE(int) s = BW_SLICE_OF(int, c, 6), t = bw_reslice(s, 2, 4);
  CHECK(t.data == c + 2 && t.len == 2 && t.cap == 4);
  t = bw_reslice3(s, 2, 4, 5);
  CHECK(t.data == c + 2 && t.len == 2 && t.cap == 3);
  t = bw_head(t, 3); // beyond len, within cap
  CHECK(t.len == 3 && bw_at(t, 2) == 4);
  t = bw_clip(bw_tail(s, 1));
  CHECK(t.data == c + 1 && t.len == 5 && t.cap == 5);
  bw_at(t, 0) = 100;
  CHECK_EQ(c[1], 100);
  BW_SLICE(int) copy = bw_clone(s);
  CHECK(copy.data != c && copy.len == 6 && bw_equal(copy, s));
  bw_free_slice(copy);
}

TEST(slice_typed_edit) {
  BW_SLICE(int) s = BW_SLICE_LIT(int, 1, 2, 3);
  int more[] = {7, 8};
  CHECK_EQ(bw_insert(&s, 1, 10, 11), 0);
  CHECK_EQ(bw_insert_n(&s, 0, more, 2), 0);
  CHECK_EQ(bw_insert_all(&s, s.len, bw_head(s, 2)), 0);
  CHECK_EQ(bw_push_n(&s, more, 1), 0);
  static const int want[] = {7, 8, 1, 10, 11, 2, 3, 7, 8, 7};
  CHECK(s.len == 10 && memcmp(s.data, want, sizeof want) == 0);
  s = bw_delete(s, 1, 9);
  CHECK(s.len == 2 && bw_at(s, 0) == 7 && bw_at(s, 1) == 7);
  bw_free_slice(s);
}

TEST(slice_typed_range) {
  BW_SLICE(int) s = BW_SLICE_LIT(int, 1, 2, 3, 4), t = BW_SLICE_LIT(int, 10, 20);
  int sum = 0, evaluated = 0;
  BW_EACH(v, (evaluated++, s)) {
    if (*v == 2) continue;
    if (*v == 4) break;
    sum += *v;
  }
  CHECK(sum == 4 && evaluated == 1);
  sum = 0;
  BW_EACH(v, s)
  BW_EACH(w, t) sum += *v * *w;
  CHECK_EQ(sum, 300);
  BW_EACH_AT(i, v, s) *v += (int)i;
  CHECK(bw_at(s, 0) == 1 && bw_at(s, 3) == 7);
  BW_EACH(v, s) { // the slice as it was when the loop began
    s = bw_head(s, 0);
    sum++;
    *v = 0;
  }
  CHECK_EQ(sum, 304);
  BW_EACH(v, s) CHECK(v == NULL); // none
  bw_free_slice(s);
  bw_free_slice(t);
}

TEST(slice_typed_compare) {
  BW_SLICE(int) a = BW_SLICE_LIT(int, 1, 2, 3), b = BW_SLICE_LIT(int, 1, 2, 3), nil = {0};
  CHECK(bw_equal(a, b) && bw_compare(a, b) == 0 && bw_equal(nil, bw_head(a, 0)));
  bw_at(b, 2) = -4;
  CHECK(!bw_equal(a, b) && bw_compare(a, b) == 1 && bw_compare(b, a) == -1);
  CHECK(bw_compare(bw_head(a, 2), a) == -1 && bw_compare(a, nil) == 1 && !bw_equal(a, nil));
  CHECK(bw_index(b, -4) == 2 && bw_index(b, 3) == -1 && bw_index(nil, 0) == -1);
  double nan = __builtin_nan("");
  BW_SLICE(double) d = BW_SLICE_LIT(double, nan, 1, -0.0), e = BW_SLICE_LIT(double, nan, 1, 0.0);
  CHECK(!bw_equal(d, e) && bw_compare(d, e) == 0 && bw_index(d, nan) == -1);
  CHECK(bw_equal(bw_tail(d, 1), bw_tail(e, 1)));
  CHECK_EQ(bw_compare(d, bw_tail(e, 1)), -1); // not a number is less than any
  BW_SLICE(text) t = BW_SLICE_LIT(text, "a", "c"), u = BW_SLICE_LIT(text, "a", "b");
  CHECK(bw_compare_by(t, u, by_text) == 1 && bw_compare_by(u, t, by_text) == -1);
  CHECK(bw_equal(t, t) && !bw_equal(t, u)); // pointers
  bw_free_slice(a);
  bw_free_slice(b);
  bw_free_slice(d);
  bw_free_slice(e);
  bw_free_slice(t);
  bw_free_slice(u);
}

TEST(slice_typed_sort_and_search) {
  BW_SLICE(int8_t) small = BW_SLICE_LIT(int8_t, 5, -3, 127, -128, 0);
  BW_SLICE(unsigned) large = BW_SLICE_LIT(unsigned, 5, 3000000000u, 0);
  BW_SLICE(float) f = BW_SLICE_LIT(float, 2, -1, 0.5f);
  BW_SLICE(bool) flags = BW_SLICE_LIT(bool, true, false, true, false);
  bw_sort(small);
  bw_sort(large);
  bw_sort(f);
  bw_sort(flags);
  CHECK(bw_at(small, 0) == -128 && bw_at(small, 1) == -3 && bw_at(small, 4) == 127);
  CHECK(bw_at(large, 0) == 0 && bw_at(large, 2) == 3000000000u);
  CHECK(bw_at(f, 0) == -1 && bw_at(f, 2) == 2);
  CHECK(!bw_at(flags, 1) && bw_at(flags, 2));
  CHECK(bw_search(small, -3) == 1 && bw_search(small, -4) == 1 && bw_search(small, 127) == 4);
  CHECK(bw_search(large, 3000000001u) == 3 && bw_search(f, 0.5) == 1 && bw_search(flags, 1) == 2);
  BW_SLICE(point) p = {0};
  for (int i = 0; i < 100; i++)
    CHECK_EQ(bw_push(&p, ((point){i * 37 % 100, {(char)('a' + i % 7), 0}})), 0);
  bw_sort_by(p, by_x);
  BW_EACH_AT(i, at, p) CHECK_EQ(at->x, i);
  bw_sort_stable_by(p, by_name);
  for (ptrdiff_t i = 1; i < p.len; i++) {
    int names = strcmp(bw_at(p, i - 1).name, bw_at(p, i).name);
    CHECK(names < 0 || (names == 0 && bw_at(p, i - 1).x < bw_at(p, i).x));
  }
  point key = {0, "c"};
  ptrdiff_t first = bw_search_by(p, key, by_name);
  CHECK(strcmp(bw_at(p, first).name, "c") == 0 && strcmp(bw_at(p, first - 1).name, "b") == 0);
  bw_free_slice(small);
  bw_free_slice(large);
  bw_free_slice(f);
  bw_free_slice(flags);
  bw_free_slice(p);
}

TEST(slice_typed_of_slices) {
  BW_SLICE(ints) rows = {0};
  for (int n = 0; n < 5; n++) {
    ints row = BW_SLICE_MAKE(int, n, n);
    BW_EACH(v, row) *v = n;
    CHECK_EQ(bw_push(&rows, row), 0);
  }
  int sum = 0;
  BW_EACH(row, rows) BW_EACH(v, *row) sum += *v;
  CHECK_EQ(sum, 30);
  BW_EACH(row, rows) bw_free_slice(*row);
  bw_free_slice(rows);
}

DEATH_TEST(slice_typed_index, 2, "panic: runtime error: index out of range [5] with length 3") {
  BW_SLICE(int) s = BW_SLICE_LIT(int, 1, 2, 3);
  bw_at(s, 5) = 1;
}
DEATH_TEST(slice_typed_bounds, 2, "slice bounds out of range [:5] with capacity 3") {
  BW_SLICE(int) s = BW_SLICE_LIT(int, 1, 2, 3);
  (void)bw_head(s, 5);
}
DEATH_TEST(slice_typed_tail, 2, "slice bounds out of range [4:3]") {
  BW_SLICE(int) s = BW_SLICE_LIT(int, 1, 2, 3);
  (void)bw_tail(s, 4);
}
DEATH_TEST(slice_b163_typed_make_negative, 2, "makeslice: len out of range") {
  volatile int n = -1;
  BW_SLICE(int) s = BW_SLICE_MAKE(int, n, 0);
  (void)s;
}
DEATH_TEST(slice_b166_typed_make_cap, 2, "makeslice: cap out of range") {
  volatile int n = 3;
  BW_SLICE(int) s = BW_SLICE_MAKE(int, 4, n);
  (void)s;
}
