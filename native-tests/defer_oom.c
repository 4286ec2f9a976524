// Deferred calls without memory for a record: the call is made at once, and the function panics.
#include "oom_util.h"
#include "panic_util.h"

typedef struct {
  char text[16];
} word;

static void defer_copy(void *arg) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "first");
  BW_DEFER_COPY(say_word, *(word *)arg);
  say("behind ");
}

static void defer_in_loop(void *arg) {
  BW_DEFER_SCOPE;
  for (int i = 0; i < 3; i++) BW_DEFER(say_number, NUMBER(i));
  say("behind%s ", (const char *)arg);
}

static bool panics_without_memory(void (*fn)(void *), void *arg, caught *c) {
  oom_block *all = oom_soak();
  oom_begin(1, OOM_FOR_EVER);
  bool panicked = panics(fn, arg, c);
  CHECK(oom_end());
  oom_free(all);
  return panicked;
}

static int no_memory(void *unused) {
  (void)unused;
  caught c;
  CHECK(panics_without_memory(defer_copy, &(word){"copied"}, &c));
  CHECK_STR(c.text, "runtime error: out of memory");
  CHECK(c.runtime_error);
  CHECK_TRACE("copied first ");
  CHECK(panics_without_memory(defer_in_loop, "", &c));
  CHECK_STR(c.text, "runtime error: out of memory");
  CHECK_TRACE("1 0 ");
  defer_in_loop("!");
  CHECK_TRACE("behind! 2 1 0 ");
  return 0;
}
TEST(defer_without_memory) { test_run(no_memory, NULL, 1); }
