// Copies of strings, the builder, and what both do without memory.
#include "test.h"

#include "oom_util.h"
#include "slice_util.h"

#define CHECK_SAYS(s, text) CHECK(bw_str_eq((s), BW_STR(text)))

TEST(str_copies_are_apart) {
  char text[] = "hello";
  bw_str s = bw_str_of(text), t, u;
  bw_slice bytes = bw_str_to_bytes(s);
  CHECK_EQ(bw_str_clone(s, &t), 0);
  char *c = bw_str_to_c(s);
  text[0] = 'j';
  CHECK_SAYS(s, "jello");
  CHECK_SAYS(t, "hello");
  CHECK_STR(c, "hello");
  CHECK(bytes.len == 5 && memcmp(bytes.ptr, "hello", 5) == 0);
  CHECK_EQ(bw_str_from_bytes(bytes, &u), 0);
  *BW_AT(char, bytes, 0) = 'x';
  CHECK_SAYS(u, "hello");
  bw_slice_free(bytes);
  bw_str_free(t);
  bw_str_free(u);
  bw_free(c);
  CHECK_EQ(bw_str_clone((bw_str){0}, &t), 0); // the empty string
  CHECK_EQ(t.len, 0);
  bw_str_free(t);
  bw_str_free((bw_str){0});
  c = bw_str_to_c((bw_str){0});
  CHECK_STR(c, "");
  bw_free(c);
}

// behaviour 159: append([]byte, string...)
TEST(slice_b159_append_str) {
  BW_SLICE(uint8_t) s = {0};
  CHECK_EQ(bw_push_str(&s, BW_STR("goroutines")), 0);
  CHECK_EQ(bw_push_str(&s, BW_STR("")), 0);
  BW_SLICE(uint8_t) t = bw_append_str(s, BW_STR(" that move"));
  CHECK(t.len == 20 && memcmp(t.data, "goroutines that move", 20) == 0 && s.len == 10);
  BW_SLICE(char) nil = {0}, same = bw_append_str(nil, BW_STR(""));
  CHECK(same.data == NULL && same.len == 0);
  if (t.data != s.data) bw_free_slice(t);
  bw_free_slice(s);
}

// behaviour 162: copy([]byte, string)
TEST(slice_b162_copy_str) {
  char text[8] = "xxxxxxx";
  BW_SLICE(char) s = BW_SLICE_OF(char, text, 7);
  CHECK_EQ(bw_copy_str(s, BW_STR("0123456789")), 7);
  CHECK_STR(text, "0123456");
  CHECK_EQ(bw_copy_str(bw_tail(s, 5), BW_STR("a")), 1);
  CHECK_EQ(bw_copy_str(s, BW_STR("")), 0);
  CHECK_STR(text, "01234a6");
}

TEST(slice_b159_strings_as_elements) {
  BW_SLICE(bw_str) words = BW_SLICE_LIT(bw_str, BW_STR("b"), BW_STR("a"));
  CHECK_EQ(bw_push(&words, BW_STR("c"), bw_str_of("d")), 0);
  CHECK(words.len == 4 && bw_str_eq(bw_at(words, 3), BW_STR("d")));
  bw_free_slice(words);
}

TEST(str_builder_writes) {
  bw_builder b = {0};
  CHECK_EQ(bw_builder_view(&b).len, 0);
  CHECK_STR(bw_builder_c(&b), "");
  CHECK_EQ(bw_builder_str(&b, BW_STR("one")), 0);
  CHECK_EQ(bw_builder_byte(&b, ' '), 0);
  CHECK_EQ(bw_builder_rune(&b, 0x20ac), 0);
  CHECK_EQ(bw_builder_rune(&b, 0xd800), 0); // no rune
  CHECK_EQ(bw_builder_write(&b, "\0x", 2), 0);
  CHECK_EQ(bw_builder_printf(&b, "%5.2f|%s|%ld", 2.5, "two", 7L), 0);
  CHECK_EQ(bw_builder_printf(&b, "%s", ""), 0);
  CHECK_SAYS(bw_builder_view(&b), "one \xe2\x82\xac\xef\xbf\xbd\0x 2.50|two|7");
  CHECK_EQ(bw_builder_str(&b, bw_str_head(bw_builder_view(&b), 3)), 0); // its own bytes
  CHECK_STR(bw_builder_c(&b) + b.bytes.len - 3, "one");
  bw_builder_reset(&b);
  CHECK_EQ(bw_builder_view(&b).len, 0);
  CHECK_EQ(bw_builder_str(&b, BW_STR("x")), 0);
  bw_str s = bw_builder_take(&b);
  CHECK_SAYS(s, "x");
  CHECK(b.bytes.ptr == NULL && b.bytes.cap == 0);
  bw_str_free(s);
  bw_builder_free(&b);
}

// Text of every length around what is made beside the array, into arrays with every room.
TEST(str_builder_printf_lengths) {
  char text[400];
  for (int n = 0; n<300; n += n> 120 && n < 136 ? 1 : 7)
    for (int room = 0; room < 400; room += 13) {
      memset(text, 'a' + n % 26, sizeof text);
      bw_builder b = {0};
      CHECK_EQ(bw_builder_str(&b, BW_STR("<")), 0);
      CHECK_EQ(bw_builder_grow(&b, room), 0);
      CHECK_EQ(bw_builder_printf(&b, "%.*s>", n, text), 0);
      bw_str s = bw_builder_view(&b);
      CHECK(s.len == n + 2 && s.data[0] == '<' && s.data[n + 1] == '>');
      CHECK(memcmp(s.data + 1, text, (size_t)n) == 0);
      CHECK(all_zero(s.data + s.len, (size_t)(b.bytes.cap - s.len)));
      bw_builder_free(&b);
    }
}

// With room asked for, nothing is allocated again, whatever writes it; and a builder that grows by
// itself does so as often as a slice, no more.
TEST(str_builder_does_not_reallocate) {
  bw_builder b = {0};
  CHECK_EQ(bw_builder_grow(&b, 1000), 0);
  const void *array = b.bytes.ptr;
  for (int i = 0; i < 100; i++) {
    CHECK_EQ(bw_builder_rune(&b, 0x20ac), 0);
    CHECK_EQ(bw_builder_printf(&b, "%06d", i), 0);
    CHECK_EQ(bw_builder_byte(&b, '\n'), 0);
  }
  CHECK(b.bytes.len == 1000 && b.bytes.ptr == array);
  bw_builder_free(&b);
  ptrdiff_t cap = 0, growths = 0;
  for (int i = 0; i < 100000; i++) {
    CHECK_EQ(bw_builder_byte(&b, (char)i), 0);
    if (b.bytes.cap != cap)
      CHECK_EQ(b.bytes.cap, bw_slice_next_cap(BW_GROWTH_CLASSIC, 1, cap, i + 1));
    growths += b.bytes.cap != cap;
    cap = b.bytes.cap;
  }
  CHECK(growths < 40);
  bw_builder_free(&b);
}

// Without memory each call says so and changes nothing, and with memory again it goes on.
TEST(str_out_of_memory) {
  SKIP_IN_ALLOC_DEBUG("what is soaked up is not what it gives");
  char text[300];
  memset(text, 'y', sizeof text);
  bw_builder b = {0};
  CHECK_EQ(bw_builder_str(&b, BW_STR("12345678")), 0); // a full array of 8
  CHECK_EQ(b.bytes.cap, 8);
  bw_str kept = BW_STR("kept"), s = kept;
  bw_slice bytes = bw_slice_of(text, 300);
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  CHECK_EQ(bw_builder_byte(&b, 'x'), BW_ENOMEM);
  CHECK_EQ(bw_builder_str(&b, kept), BW_ENOMEM);
  CHECK_EQ(bw_builder_rune(&b, 0xe9), BW_ENOMEM);
  CHECK_EQ(bw_builder_printf(&b, "%d", 5), BW_ENOMEM);
  CHECK_EQ(bw_builder_printf(&b, "%.*s", 300, text), BW_ENOMEM);
  CHECK_EQ(bw_builder_grow(&b, 1), BW_ENOMEM);
  CHECK(bw_builder_c(&b) == NULL);
  CHECK_EQ(bw_str_clone(kept, &s), BW_ENOMEM);
  CHECK_EQ(bw_str_from_bytes(bytes, &s), BW_ENOMEM);
  CHECK(!bw_slice_ok(bw_str_to_bytes(kept)) && !bw_slice_ok(bw_str_to_runes(kept)));
  CHECK(bw_str_to_c(kept) == NULL);
  CHECK_EQ(bw_builder_printf(&b, "%s", ""), 0); // needs none
  oom_end();
  oom_free(all);
  CHECK(s.data == kept.data && s.len == 4);
  CHECK_SAYS(bw_builder_view(&b), "12345678");
  CHECK_EQ(bw_builder_printf(&b, "%d", 9), 0);
  CHECK_SAYS(bw_builder_view(&b), "123456789");
  bw_builder_free(&b);
}
