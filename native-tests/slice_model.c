// Random operations against a reference that is too simple to be wrong: every array is a plain
// block of bytes of its own, every slice an array's number and two offsets. After each step all
// live slices must show the same lengths, capacities and bytes as the reference, up to their
// capacity.
#include "test.h"

#include "base/rand.h"
#include "slice_util.h"

enum { ARRAYS = 400, SLICES = 6, ARRAY_BYTES = 1 << 14, ELEM_MAX = 24 };

typedef struct {
  unsigned char *bytes; // what the array should hold
  bw_slice base;        // the real one, from its beginning
} model_array;

typedef struct {
  bw_slice real;
  int array; // -1: nil
  ptrdiff_t at, len, cap;
} model_slice;

static model_array arrays[ARRAYS];
static int array_count;
static model_slice slices[SLICES];
static size_t size; // of an element
static bw__rand dice;

static ptrdiff_t roll(ptrdiff_t below) { return (ptrdiff_t)bw__rand_below(&dice, (uint32_t)below); }

static unsigned char *model_at(const model_slice *s, ptrdiff_t i) {
  return arrays[s->array].bytes + (size_t)(s->at + i) * size;
}

static void check_one(const model_slice *s) {
  CHECK_EQ(s->real.len, s->len);
  CHECK_EQ(s->real.cap, s->cap);
  if (s->cap == 0) return;
  CHECK(same_bytes(s->real.ptr, model_at(s, 0), (size_t)s->cap * size));
}

// Gives the model a new array, all zeros, that the real slice `base` starts.
static int add_array(bw_slice base) {
  static unsigned char memory[ARRAYS][ARRAY_BYTES];
  CHECK(array_count < ARRAYS && (size_t)base.cap * size <= ARRAY_BYTES);
  arrays[array_count] = (model_array){memory[array_count], base};
  memset(memory[array_count], 0, (size_t)base.cap * size);
  return array_count++;
}

static void do_make(model_slice *s) {
  s->cap = roll(20);
  s->len = roll(s->cap + 1);
  s->real = bw_slice_make(size, s->len, s->cap);
  s->array = add_array(s->real);
  s->at = 0;
}

static void do_write(model_slice *s) {
  if (s->len == 0) return;
  ptrdiff_t i = roll(s->len);
  int byte = (int)roll(256);
  memset(bw_slice_at(s->real, size, i), byte, size);
  memset(model_at(s, i), byte, size);
}

static void do_reslice(model_slice *to, const model_slice *from) {
  ptrdiff_t max = roll(from->cap + 1), high = roll(max + 1), low = roll(high + 1);
  bool three = roll(2);
  model_slice s = {.array = from->array, .at = from->at + low, .len = high - low};
  s.cap = (three ? max : from->cap) - low;
  s.real = three ? bw_slice_slice3(from->real, size, low, high, max)
                 : bw_slice_slice(from->real, size, low, high);
  *to = s;
}

static void do_copy(model_slice *to, const model_slice *from) {
  ptrdiff_t n = bw_slice_copy(to->real, from->real, size);
  CHECK_EQ(n, to->len < from->len ? to->len : from->len);
  if (n) memmove(model_at(to, 0), model_at(from, 0), (size_t)n * size);
}

// to = append(s, from[:n]...); both rules, and the source may be any slice, itself included.
static void do_append(model_slice *to, const model_slice *s, const model_slice *from) {
  ptrdiff_t n = roll(from->len + 1);
  if ((size_t)(s->len + n) * size > ARRAY_BYTES / 4) return;
  static unsigned char values[ARRAY_BYTES]; // evaluated before anything is written
  if (n) memcpy(values, model_at(from, 0), (size_t)n * size);
  bw_growth rule = roll(2) ? BW_GROWTH_GO118 : BW_GROWTH_CLASSIC;
  model_slice r = *s;
  r.real = bw_slice_append_rule(rule, s->real, size, from->real.ptr, n);
  CHECK(bw_slice_ok(r.real));
  r.len += n;
  if (r.len > s->cap) {
    r.cap = bw_slice_next_cap(rule, size, s->cap, r.len);
    r.array = add_array(r.real);
    r.at = 0;
    if (s->len) memcpy(model_at(&r, 0), model_at(s, 0), (size_t)s->len * size);
  }
  if (n) memcpy(model_at(&r, s->len), values, (size_t)n * size);
  *to = r;
}

static void run(size_t elem_size, uint64_t seed) {
  size = elem_size;
  dice.state = seed;
  for (int i = 0; i < SLICES; i++) slices[i] = (model_slice){.array = -1};
  uint64_t before = live_objects();
  // Room for one more array is all that a step can take.
  for (int step = 0; step < 3000 && array_count < ARRAYS; step++) {
    model_slice *a = &slices[roll(SLICES)], *b = &slices[roll(SLICES)], *c = &slices[roll(SLICES)];
    switch (roll(10)) {
    case 0: do_make(a); break;
    case 1:
    case 2: do_write(a); break;
    case 3: do_reslice(a, b); break;
    case 4: do_copy(a, b); break;
    default: do_append(a, b, c); break;
    }
    for (int i = 0; i < SLICES; i++) check_one(&slices[i]);
  }
  while (array_count > 0) {
    model_array *m = &arrays[--array_count];
    CHECK(same_bytes(m->base.ptr, m->bytes, (size_t)m->base.cap * size));
    bw_slice_free(m->base);
  }
  CHECK_EQ(live_objects(), before);
}

TEST(slice_model_random_operations) {
  static const size_t sizes[] = {1, 2, 5, 8, 16, ELEM_MAX};
  uint64_t rounds = test_is_slow_build() ? 20 : 200;
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    for (uint64_t seed = 1; seed <= rounds; seed++) run(sizes[k], seed * 1000 + sizes[k]);
}

// The push form: one owner, against a plain array.
TEST(slice_model_push) {
  enum { N = 20000 };
  static int64_t want[N + 64];
  dice.state = 4;
  bw_slice s = {0};
  ptrdiff_t len = 0;
  while (len < N) {
    ptrdiff_t n = roll(9), from = len ? roll(len) : 0;
    bool own = n <= len - from; // values out of the slice itself
    int64_t fresh[8];
    for (int i = 0; i < 8; i++) fresh[i] = (int64_t)bw__rand_next(&dice);
    memcpy(want + len, own ? want + from : fresh, (size_t)n * 8);
    const void *values = own && n ? bw_slice_at(s, 8, from) : fresh;
    CHECK_EQ(bw_slice_push(&s, 8, values, n), 0);
    len += n;
    CHECK_EQ(s.len, len);
  }
  CHECK(memcmp(s.ptr, want, (size_t)len * 8) == 0);
  bw_slice_free(s);
}
