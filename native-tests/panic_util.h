// For tests of deferred calls and panics: a trace of what was called, and a call that must panic.
#ifndef BURROW_PANIC_UTIL_H
#define BURROW_PANIC_UTIL_H

#include "test.h"

#include <stdarg.h>

// ---- the trace: words between blanks ------------------------------------------------------------

static struct {
  char text[8192];
  size_t len;
} trace;

__attribute__((unused, format(printf, 1, 2))) static void say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(trace.text + trace.len, sizeof trace.text - trace.len, format, args);
  va_end(args);
  if (n < 0 || (size_t)n >= sizeof trace.text - trace.len) test_fail(__FILE__, __LINE__, "trace");
  trace.len += (size_t)n;
}

// Deferred: says the word, or the number, that it was given.
__attribute__((unused)) static void say_word(void *word) { say("%s ", (const char *)word); }
__attribute__((unused)) static void say_number(void *n) { say("%d ", (int)(intptr_t)n); }
#define NUMBER(n) ((void *)(intptr_t)(n))

#define CHECK_TRACE(want)                                                                          \
  do {                                                                                             \
    CHECK_STR(trace.text, want);                                                                   \
    trace.len = 0;                                                                                 \
    trace.text[0] = 0;                                                                             \
  } while (0)

// ---- recovering ---------------------------------------------------------------------------------

// Deferred: recovers and says so, with the message.
__attribute__((unused)) static void rescue(void *word, bw_panicking *panicking) {
  const bw_panic_info *info = bw_recover(panicking);
  const char *name = word ? word : "rescue";
  if (info)
    say("%s(%s) ", name, info->message);
  else
    say("%s(nil) ", name);
}

typedef struct {
  char text[256]; // of the panic that was recovered
  void *value;
  bool runtime_error;
} caught;

static void catch_it(void *arg, bw_panicking *panicking) {
  caught *c = arg;
  const bw_panic_info *info = bw_recover(panicking);
  if (!info) return;
  bw_panic_text(info, c->text, sizeof c->text);
  c->value = info->value;
  c->runtime_error = info->runtime_error;
}

// Whether fn(arg) panics; *c says what about.
__attribute__((unused)) static bool panics(void (*fn)(void *), void *arg, caught *c) {
  memset(c, 0, sizeof *c);
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return true;
  BW_DEFER(catch_it, c);
  fn(arg);
  return false;
}

// ---- on a plain thread and on a goroutine -------------------------------------------------------

static int on_goroutine(void *body) {
  ((void (*)(void))(intptr_t)body)();
  bw_defer_view v;
  CHECK_EQ(bw_defer_look(&v, 1), 0);
  return 0;
}

// Runs body on both: deferred calls and panics are the same there.
__attribute__((unused)) static void on_both(void (*body)(void)) {
  body();
  bw_defer_view v;
  CHECK_EQ(bw_defer_look(&v, 1), 0);
  test_run(on_goroutine, (void *)(intptr_t)body, 2);
}

#define BOTH_TEST(name)                                                                            \
  static void name##_body(void);                                                                   \
  TEST(name) { on_both(name##_body); }                                                             \
  static void name##_body(void)

#endif
