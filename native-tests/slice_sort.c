// Sorting, by an order and of numbers: against the C library's qsort, for all the shapes that make
// a quicksort slow, and counted.
#include "test.h"

#include "base/rand.h"
#include "slice_util.h"

typedef struct {
  uint32_t key, place; // place: where it was before
} item;

static uint64_t compared;

static bool item_less(const void *a, const void *b, void *arg) {
  (void)arg;
  compared++;
  return ((const item *)a)->key < ((const item *)b)->key;
}

enum { RANDOM, FEW, UP, DOWN, EQUAL, SAW, PIPE, ALMOST, SHAPES };

static uint32_t shape_key(int shape, uint32_t i, uint32_t n, bw__rand *dice) {
  switch (shape) {
  case RANDOM: return (uint32_t)bw__rand_next(dice);
  case FEW: return bw__rand_below(dice, 4);
  case UP: return i;
  case DOWN: return n - i;
  case EQUAL: return 7;
  case SAW: return i % 17;
  case PIPE: return i < n / 2 ? i : n - i;
  default: return bw__rand_below(dice, 50) ? i : bw__rand_below(dice, n);
  }
}

static bw_slice shaped(int shape, ptrdiff_t n) {
  bw__rand dice = {(uint64_t)shape * 1000 + (uint64_t)n};
  bw_slice s = bw_slice_make(sizeof(item), n, n);
  CHECK(bw_slice_ok(s));
  for (ptrdiff_t i = 0; i < n; i++)
    *BW_AT(item, s, i) = (item){shape_key(shape, (uint32_t)i, (uint32_t)n, &dice), (uint32_t)i};
  return s;
}

// All that were there are there, once, in order; and (`stable`) equal ones as they were.
static void check_sorted(bw_slice s, bool stable) {
  unsigned char *seen = calloc((size_t)s.len + 1, 1);
  CHECK(seen != NULL);
  for (ptrdiff_t i = 0; i < s.len; i++) {
    item *at = BW_AT(item, s, i);
    CHECK(at->place < (uint32_t)s.len && !seen[at->place]++);
    if (i == 0) continue;
    CHECK(at[-1].key <= at->key);
    if (stable && at[-1].key == at->key) CHECK(at[-1].place < at->place);
  }
  free(seen);
  CHECK(bw_slice_is_sorted(s, sizeof(item), item_less, NULL));
}

static uint64_t log2_of(ptrdiff_t n) {
  uint64_t log = 1;
  while ((n >>= 1)) log++;
  return log;
}

TEST(slice_sort_shapes) {
  for (int shape = 0; shape < SHAPES; shape++)
    for (ptrdiff_t n = 0; n < 20000; n = n * 7 / 4 + 1) {
      bw_slice s = shaped(shape, n), t = bw_slice_from(sizeof(item), s.ptr, n);
      compared = 0;
      bw_slice_sort(s, sizeof(item), item_less, NULL);
      CHECK(compared <= 4 * (uint64_t)n * log2_of(n) + 200);
      check_sorted(s, false);
      compared = 0;
      bw_slice_sort_stable(t, sizeof(item), item_less, NULL);
      CHECK(compared <= 4 * (uint64_t)n * log2_of(n) + 200);
      check_sorted(t, true);
      bw_slice_free(s);
      bw_slice_free(t);
    }
}

// An order that makes up its answers as it goes, so that each pivot is the worst: the sort must
// still end in n log n comparisons. (Elements are numbers of items; `gas` is larger than all that
// were fixed.)
static uint32_t *fixed, gas, next_fixed, candidate;

static bool adversary(const void *a, const void *b, void *arg) {
  (void)arg;
  compared++;
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  if (fixed[x] == gas && fixed[y] == gas) {
    if (x == candidate)
      fixed[x] = next_fixed++;
    else
      fixed[y] = next_fixed++;
  }
  if (fixed[x] == gas)
    candidate = x;
  else if (fixed[y] == gas)
    candidate = y;
  return fixed[x] < fixed[y];
}

TEST(slice_sort_never_quadratic) {
  enum { N = 8000 };
  bw_slice s = bw_slice_make(4, N, N);
  fixed = malloc(N * sizeof *fixed);
  CHECK(fixed != NULL);
  gas = N, next_fixed = 0, candidate = 0, compared = 0;
  for (uint32_t i = 0; i < N; i++) fixed[i] = gas, *BW_AT(uint32_t, s, i) = i;
  bw_slice_sort(s, 4, adversary, NULL);
  CHECK(compared < 8 * (uint64_t)N * log2_of(N)); // a plain quicksort: millions
  for (ptrdiff_t i = 1; i < N; i++)
    CHECK(fixed[*BW_AT(uint32_t, s, i - 1)] <= fixed[*BW_AT(uint32_t, s, i)]);
  free(fixed);
  bw_slice_free(s);
}

// Elements of every size: the first byte is the key, the others repeat it.
static bool byte_less(const void *a, const void *b, void *arg) {
  (void)arg;
  return *(const unsigned char *)a < *(const unsigned char *)b;
}

TEST(slice_sort_sizes) {
  for (size_t size = 1; size <= 140; size += size < 20 ? 1 : 13)
    for (int stable = 0; stable < 2; stable++) {
      enum { N = 300 };
      bw_slice s = bw_slice_make(size, N, N);
      for (ptrdiff_t i = 0; i < N; i++) memset(bw_slice_at(s, size, i), (int)(i * 73 % 251), size);
      if (stable)
        bw_slice_sort_stable(s, size, byte_less, NULL);
      else
        bw_slice_sort(s, size, byte_less, NULL);
      for (ptrdiff_t i = 0; i < N; i++) {
        unsigned char *at = bw_slice_at(s, size, i);
        if (i > 0) CHECK(at[-(ptrdiff_t)size] <= at[0]);
        for (size_t k = 1; k < size; k++) CHECK(at[k] == at[0]);
      }
      bw_slice_free(s);
    }
  bw_slice none = bw_slice_make(0, 5, 5); // nothing to sort
  bw_slice_sort(none, 0, byte_less, NULL);
  bw_slice_sort_stable(none, 0, byte_less, NULL);
  bw_slice_sort((bw_slice){0}, 4, byte_less, NULL);
}

// An order that panics leaves every element in the slice.
static int patience;

static bool impatient(const void *a, const void *b, void *arg) {
  if (patience-- == 0) bw_panic("enough");
  return item_less(a, b, arg);
}

static void stop(void *arg, bw_panicking *panicking) {
  (void)arg;
  bw_recover(panicking);
}

// False: the order panicked.
static bool sort_with_patience(bw_slice s) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return false;
  BW_DEFER(stop, NULL);
  bw_slice_sort(s, sizeof(item), impatient, NULL);
  return true;
}

static int panicking_orders(void *arg) {
  (void)arg;
  for (int n = 0; n < 400; n += 7) {
    bw_slice s = shaped(RANDOM, 60);
    patience = n;
    bool done = sort_with_patience(s);
    uint64_t places = 0;
    for (ptrdiff_t i = 0; i < 60; i++) places |= (uint64_t)1 << BW_AT(item, s, i)->place;
    CHECK(places == ((uint64_t)1 << 60) - 1);
    if (done) check_sorted(s, false);
    bw_slice_free(s);
  }
  return 0;
}

TEST(slice_sort_order_panics) { test_run(panicking_orders, NULL, 1); }

// ---- numbers ------------------------------------------------------------------------------------

// Sorts N random Ts of several shapes and checks that each is not less than the one before, and
// that their sum is what it was.
#define CHECK_NUMBERS(T, kind, from_bits)                                                          \
  do {                                                                                             \
    for (int shape = 0; shape < SHAPES; shape++)                                                   \
      for (ptrdiff_t n = 0; n < 6000; n = n * 7 / 4 + 1) {                                         \
        bw__rand dice = {(uint64_t)n};                                                             \
        bw_slice s = bw_slice_make(sizeof(T), n, n);                                               \
        uint64_t sum = 0;                                                                          \
        for (ptrdiff_t i = 0; i < n; i++) {                                                        \
          uint64_t key = shape_key(shape, (uint32_t)i, (uint32_t)n, &dice);                        \
          *BW_AT(T, s, i) = from_bits(T, shape == RANDOM ? key * 0x9e3779b97f4a7c15u : key);       \
          sum += bits_of(BW_AT(T, s, i), sizeof(T));                                               \
        }                                                                                          \
        bw_slice_sort_numbers(s, sizeof(T), kind);                                                 \
        for (ptrdiff_t i = 0; i < n; i++) {                                                        \
          sum -= bits_of(BW_AT(T, s, i), sizeof(T));                                               \
          if (i > 0) CHECK(*BW_AT(T, s, i - 1) <= *BW_AT(T, s, i));                                \
        }                                                                                          \
        CHECK(sum == 0);                                                                           \
        bw_slice_free(s);                                                                          \
      }                                                                                            \
  } while (0)

static uint64_t bits_of(const void *p, size_t size) {
  uint64_t bits = 0;
  memcpy(&bits, p, size);
  return bits;
}

#define AS_INTEGER(T, bits) ((T)(bits))
#define AS_FLOAT(T, bits)   ((T)(int64_t)(bits) / (T)3)

TEST(slice_sort_integers) {
  CHECK_NUMBERS(uint8_t, BW_NUMBER_UNSIGNED, AS_INTEGER);
  CHECK_NUMBERS(int8_t, BW_NUMBER_SIGNED, AS_INTEGER);
  CHECK_NUMBERS(uint16_t, BW_NUMBER_UNSIGNED, AS_INTEGER);
  CHECK_NUMBERS(int16_t, BW_NUMBER_SIGNED, AS_INTEGER);
  CHECK_NUMBERS(uint32_t, BW_NUMBER_UNSIGNED, AS_INTEGER);
  CHECK_NUMBERS(int32_t, BW_NUMBER_SIGNED, AS_INTEGER);
  CHECK_NUMBERS(uint64_t, BW_NUMBER_UNSIGNED, AS_INTEGER);
  CHECK_NUMBERS(int64_t, BW_NUMBER_SIGNED, AS_INTEGER);
}

TEST(slice_sort_floats) {
  CHECK_NUMBERS(float, BW_NUMBER_FLOAT, AS_FLOAT);
  CHECK_NUMBERS(double, BW_NUMBER_FLOAT, AS_FLOAT);
}

// Infinities at the ends, both zeros in the middle, and whatever is not a number in front.
TEST(slice_sort_floats_of_all_kinds) {
  double nan = __builtin_nan(""), inf = __builtin_inf();
  double a[] = {1, nan, -inf, 0.0, -0.0, inf, -1e-310, 1e-310, -nan, -1, nan, 2};
  enum { N = sizeof a / sizeof *a };
  bw_slice_sort_numbers(bw_slice_of(a, N), sizeof *a, BW_NUMBER_FLOAT);
  static const double want[N] = {0,      0, 0, -__builtin_inf(), -1, -1e-310, 0, 0,
                                 1e-310, 1, 2, __builtin_inf()};
  for (int i = 0; i < N; i++) CHECK(i < 3 ? a[i] != a[i] : a[i] == want[i]);
  float b[] = {3, __builtin_nanf(""), -2, -__builtin_inff(), 0};
  bw_slice_sort_numbers(bw_slice_of(b, 5), sizeof *b, BW_NUMBER_FLOAT);
  CHECK(b[0] != b[0] && b[1] == -__builtin_inff() && b[2] == -2 && b[3] == 0 && b[4] == 3);
}

// Rising and falling numbers in turns. (Comparisons cannot be counted here: a quadratic sort would
// not be done before the watchdog comes.)
TEST(slice_sort_numbers_organ_pipes) {
  enum { N = 200000 };
  bw_slice s = bw_slice_make(8, N, N);
  for (int64_t i = 0; i < N; i++) *BW_AT(int64_t, s, i) = i % 2 ? i : N - i;
  bw_slice_sort_numbers(s, 8, BW_NUMBER_SIGNED);
  for (ptrdiff_t i = 1; i < N; i++) CHECK(*BW_AT(int64_t, s, i - 1) <= *BW_AT(int64_t, s, i));
  bw_slice_free(s);
}
