// What the examples of public headers are compiled with (examples.cmake): their printf is caught,
// so that what they print can be compared on all targets.
#ifndef BURROW_EXAMPLE_UTIL_H
#define BURROW_EXAMPLE_UTIL_H

#include "test.h"

#include <stdarg.h>

static char example_said[1000];
static size_t example_len;

__attribute__((format(printf, 1, 2), unused)) static int example_printf(const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(example_said + example_len, sizeof example_said - example_len, format, args);
  va_end(args);
  CHECK(n >= 0 && example_len + (size_t)n < sizeof example_said);
  example_len += (size_t)n;
  return n;
}

// Without blanks and line ends, which show where one `prints` ends and not what was printed.
static inline void example_squeeze(char *text) {
  char *to = text;
  for (const char *from = text; *from; from++)
    if (*from != ' ' && *from != '\n') *to++ = *from;
  *to = 0;
}

// Runs an example, as main goroutine if it does not begin a runtime itself; it must return 0.
static inline void check_example(int (*example)(void *), bool in_runtime, const char *prints) {
  char want[1000];
  CHECK(strlen(prints) < sizeof want);
  memcpy(want, prints, strlen(prints) + 1);
  if (in_runtime)
    test_run(example, NULL, 0);
  else
    CHECK_EQ(example(NULL), 0);
  example_squeeze(want);
  example_squeeze(example_said);
  CHECK_STR(example_said, want);
}

// An example need not use all that it is given, or makes.
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"

#define printf example_printf

#endif
