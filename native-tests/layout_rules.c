// The layout tool against the compiler: for each struct the computed offsets and size must be those
// of offsetof and sizeof, on this target. And the order that it suggests against all orders.
#include "test.h"

#include "alloc/span.h"
#include "base/rand.h"
#include "comm/chan_state.h"
#include "sched/sched.h"

enum { FIELDS_MAX = 64 };

static bw_layout check_fields(const bw_layout_field *real, int count, size_t size, size_t align) {
  bw_layout_field f[FIELDS_MAX];
  CHECK(count <= FIELDS_MAX);
  for (int i = 0; i < count; i++) {
    f[i] = real[i];
    f[i].offset = f[i].padding = 12345; // not looked at
  }
  bw_layout all = bw_layout_compute(f, count);
  size_t bytes = 0;
  for (int i = 0; i < count; i++) {
    if (f[i].offset != real[i].offset)
      test_fail(__FILE__, __LINE__, "%s: computed %zu, is %zu", f[i].name, f[i].offset,
                real[i].offset);
    CHECK_EQ(f[i].offset, (i ? f[i - 1].offset + f[i - 1].size : 0) + f[i].padding);
    bytes += f[i].size;
  }
  CHECK_EQ(all.size, size);
  CHECK_EQ(all.align, align);
  CHECK_EQ(all.padding, size - bytes);
  CHECK_EQ(all.tail, size - real[count - 1].offset - real[count - 1].size);
  bw_layout_field best[FIELDS_MAX];
  CHECK(bw_layout_best(real, count, best).size <= size);
  return all;
}

// Declares a struct of this body, and checks it. F is a field of it.
#define F(member) BW_LAYOUT_FIELD(struct it, member)
#define CHECK_STRUCT(body, ...)                                                                    \
  do {                                                                                             \
    struct it body;                                                                                \
    const bw_layout_field real[] = {__VA_ARGS__};                                                  \
    check_fields(real, sizeof real / sizeof *real, sizeof(struct it), _Alignof(struct it));        \
  } while (0)

TEST(layout_is_the_compilers) {
  struct inner {
    int16_t a;
    char b;
  };
  CHECK_STRUCT({ char a; }, F(a));
  CHECK_STRUCT(
      {
        char a;
        int b;
      },
      F(a), F(b));
  CHECK_STRUCT(
      {
        int a;
        char b;
      },
      F(a), F(b));
  CHECK_STRUCT(
      {
        char a;
        double b;
        char c;
        int d;
      },
      F(a), F(b), F(c), F(d));
  CHECK_STRUCT(
      {
        char a;
        int64_t b;
        int32_t c;
      },
      F(a), F(b), F(c));
  CHECK_STRUCT(
      {
        int16_t a;
        int32_t b;
        int16_t c;
        int64_t d;
        char e;
      },
      F(a), F(b), F(c), F(d), F(e));
  CHECK_STRUCT(
      {
        char a;
        void *b;
        char c;
        size_t d;
        bool e;
      },
      F(a), F(b), F(c), F(d), F(e));
  CHECK_STRUCT(
      {
        char a[3];
        int16_t b;
        char c[5];
        float d;
      },
      F(a), F(b), F(c), F(d));
  CHECK_STRUCT(
      {
        char a;
        struct inner b;
        char c;
        struct inner d[3];
        int e;
      },
      F(a), F(b), F(c), F(d), F(e));
  CHECK_STRUCT(
      {
        char a;
        union {
          char x;
          double y;
        } b;
        char c;
      },
      F(a), F(b), F(c));
  CHECK_STRUCT(
      {
        char a;
        _Alignas(16) char b;
        int c;
      },
      F(a), F(b), F(c));
  CHECK_STRUCT(
      {
        char a;
        _Alignas(64) int b;
        _Alignas(64) int c;
        char d;
      },
      F(a), F(b), F(c), F(d));
  CHECK_STRUCT(
      {
        char a;
        max_align_t b;
        char c;
      },
      F(a), F(b), F(c));
  CHECK_STRUCT(
      {
        void (*a)(void);
        int b;
        long c;
        unsigned char d;
      },
      F(a), F(b), F(c), F(d));
  CHECK_STRUCT(
      {
        uint64_t a;
        uint32_t b[3];
      },
      F(a), F(b)); // a WaitGroup's state on 32 bits
  CHECK_STRUCT(
      {
        bw_slice a;
        char b;
        bw_str c;
        bw_alloc_span d;
      },
      F(a), F(b), F(c), F(d));
}

// A struct of the runtime, with an array of no fixed length at its end.
TEST(layout_of_a_channel) {
#define W(member) BW_LAYOUT_FIELD(struct bw_chan, member)
  const bw_layout_field chan[] = {W(lock),
                                  W(flags),
                                  W(elem_size),
                                  W(cap),
                                  W(count),
                                  W(recv_at),
                                  W(send_at),
                                  W(receivers),
                                  W(senders),
                                  W(refs),
                                  W(on_free),
                                  W(owner),
                                  {"ring", 0, 16, offsetof(struct bw_chan, ring), 0}};
#undef W
  check_fields(chan, sizeof chan / sizeof *chan, sizeof(struct bw_chan), _Alignof(struct bw_chan));
}

// ---- the order ----------------------------------------------------------------------------------

static size_t least;

static void try_orders(bw_layout_field *f, int count, int at) {
  if (at == count) {
    bw_layout_field copy[8];
    for (int i = 0; i < count; i++) copy[i] = f[i];
    size_t size = bw_layout_compute(copy, count).size;
    if (size < least) least = size;
    return;
  }
  for (int i = at; i < count; i++) {
    bw_layout_field kept = f[at];
    f[at] = f[i], f[i] = kept;
    try_orders(f, count, at + 1);
    kept = f[at];
    f[at] = f[i], f[i] = kept;
  }
}

// Of fields as C's types are, the suggested order is as good as the best of all; of others it is no
// worse than the given one. The fields are the same.
TEST(layout_best_of_all_orders) {
  bw__rand dice = {3};
  int gains = 0;
  for (int round = 0; round < 400; round++) {
    bw_layout_field f[6], best[6];
    int count = 1 + (int)bw__rand_below(&dice, 6);
    bool natural = round % 4 != 0;
    for (int i = 0; i < count; i++) {
      size_t align = (size_t)1 << bw__rand_below(&dice, 5);
      size_t size = natural ? align * bw__rand_below(&dice, 4) : bw__rand_below(&dice, 40);
      f[i] =
          (bw_layout_field){(const char *[]){"a", "b", "c", "d", "e", "f"}[i], size, align, 0, 0};
    }
    bw_layout_field given[6];
    memcpy(given, f, sizeof f);
    size_t before = bw_layout_compute(given, count).size;
    size_t size = bw_layout_best(f, count, best).size;
    CHECK(size <= before);
    gains += size < before;
    least = SIZE_MAX;
    try_orders(f, count, 0);
    if (natural) CHECK_EQ(size, least);
    CHECK_EQ(bw_layout_compute(best, count).size, size);
    for (int i = 0; i < count; i++) {
      int found = 0;
      for (int k = 0; k < count; k++)
        found +=
            best[k].name == f[i].name && best[k].size == f[i].size && best[k].align == f[i].align;
      CHECK_EQ(found, 1);
    }
  }
  CHECK(gains > 50);
}

TEST(layout_keeps_a_good_order) {
  bw_layout_field f[] = {{"a", 4, 4, 0, 0}, {"b", 8, 8, 0, 0}, {"c", 4, 4, 0, 0}}, best[3];
  CHECK_EQ(bw_layout_best(f, 3, best).size, 16);
  CHECK_STR(best[0].name, "b");
  bw_layout_field g[] = {{"x", 1, 1, 0, 0}, {"y", 4, 4, 0, 0}};
  CHECK_EQ(bw_layout_best(g, 2, best).size, 8); // no order is better
  CHECK_STR(best[0].name, "x");
}

TEST(layout_at_the_limits) {
  CHECK_EQ(bw_layout_compute(NULL, 0).size, 0);
  CHECK_EQ(bw_layout_compute(NULL, 0).align, 1);
  bw_layout_field f[] = {{"a", SIZE_MAX - 2, 1, 0, 0}, {"b", 8, 8, 0, 0}};
  CHECK(bw_layout_compute(f, 2).size == SIZE_MAX);
  bw_layout_field g[] = {{"a", 3, 0, 0, 0}, {"b", 0, 4, 0, 0}};
  CHECK_EQ(bw_layout_compute(g, 2).size, 4);
  CHECK_EQ(g[1].offset, 4);
}

// ---- text ---------------------------------------------------------------------------------------

TEST(layout_text_columns) {
  bw_layout_field f[] = {{"kind", 1, 1, 0, 0}, {"value", 8, 8, 0, 0}, {"far", 4, 64, 0, 0}};
  bw_layout all = bw_layout_compute(f, 3);
  static const char want[] = "offset   size  align  name\n"
                             "     0      1      1  kind\n"
                             "     1      7         (padding)\n"
                             "     8      8      8  value\n"
                             "    16     48         (padding)\n"
                             "------ line 1\n"
                             "    64      4     64  far\n"
                             "    68     60         (padding)\n"
                             "size 128, align 64, padding 115\n";
  char text[400], cut[400];
  CHECK_EQ(bw_layout_text(f, 3, all, 64, text, sizeof text), sizeof want - 1);
  CHECK_STR(text, want);
  for (size_t cap = 0; cap < sizeof want + 5; cap++) { // never beyond cap
    memset(cut, '#', sizeof cut);
    CHECK_EQ(bw_layout_text(f, 3, all, 64, cut, cap), sizeof want - 1);
    size_t n = cap == 0 ? 0 : cap - 1 < sizeof want - 1 ? cap - 1 : sizeof want - 1;
    CHECK(memcmp(cut, want, n) == 0 && cut[cap] == '#' && (cap == 0 || cut[n] == 0));
  }
  CHECK(strstr(text, "line"));
  bw_layout_text(f, 3, all, 0, text, sizeof text);
  CHECK(!strstr(text, "line"));
}
