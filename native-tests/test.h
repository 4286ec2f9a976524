// The test harness. One program holds all tests; each test runs in a process of its own, so a test
// may end the program on purpose. The same sources run natively, on wasm threads and on wasi.
//
//   TEST(chan_fifo) { CHECK_EQ(f(), 3); }
//   DEATH_TEST(deadlock, 2, "all goroutines are asleep - deadlock!") { ... }
//   THREADS_TEST / THREADS_DEATH_TEST: left out of the list where there is one thread only.
//
// The program's own arguments:
//   --list        a line a test: name, kind (test | death), expected status, expected text (\n and
//   \t for line ends and tabs)
//   --count       how many tests this target has
//   NAME          runs one test in this process; status 0 = passed, 1 = failed
//   --run NAME    natively: runs NAME in a child and judges it (status and text of a death test)
//
// A test that takes longer than TEST_SECONDS (environment, default 60) is a hang: the watchdog
// prints all goroutines and ends the program with status 124. Where there are no threads the runner
// outside does the killing. Stress tests take as long as BURROW_STRESS_SECONDS says, which the
// watchdog allows on top.
#ifndef BURROW_TEST_H
#define BURROW_TEST_H

#include <burrow/burrow.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_case {
  const char *name;
  void (*run)(void);
  bool death;
  int status;       // expected exit status of a death test
  const char *text; // and what its output must contain
  struct test_case *next;
} test_case;

void test_register(test_case *t);
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define TEST_DEFINE(fn, is_death, want_status, want_text)                                          \
  static void fn(void);                                                                            \
  __attribute__((constructor)) static void fn##_register(void) {                                   \
    static test_case t = {#fn, fn, is_death, want_status, want_text, NULL};                        \
    test_register(&t);                                                                             \
  }                                                                                                \
  static void fn(void)

#define TEST(fn)                          TEST_DEFINE(fn, false, 0, NULL)
#define DEATH_TEST(fn, want_status, text) TEST_DEFINE(fn, true, want_status, text)

// Tests that need several OS threads: compiled everywhere, registered only where threads exist.
#if defined(__wasi__)
#define THREADS_TEST(fn)                          static __attribute__((unused)) void fn(void)
#define THREADS_DEATH_TEST(fn, want_status, text) static __attribute__((unused)) void fn(void)
#else
#define THREADS_TEST(fn)                          TEST(fn)
#define THREADS_DEATH_TEST(fn, want_status, text) DEATH_TEST(fn, want_status, text)
#endif

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) test_fail(__FILE__, __LINE__, "%s", #condition);                             \
  } while (0)

#define CHECK_EQ(a, b)                                                                             \
  do {                                                                                             \
    int64_t a_ = (int64_t)(a), b_ = (int64_t)(b);                                                  \
    if (a_ != b_)                                                                                  \
      test_fail(__FILE__, __LINE__, "%s == %s: %" PRId64 " != %" PRId64, #a, #b, a_, b_);          \
  } while (0)

#define CHECK_STR(a, b)                                                                            \
  do {                                                                                             \
    const char *a_ = (a), *b_ = (b);                                                               \
    if (strcmp(a_, b_) != 0)                                                                       \
      test_fail(__FILE__, __LINE__, "%s == %s: \"%s\" != \"%s\"", #a, #b, a_, b_);                 \
  } while (0)

// Leaves a test, also a death test, that makes no sense in this build, which is then reported as
// skipped.
#define SKIP(reason)                                                                               \
  do {                                                                                             \
    printf("SKIPPED: %s\n", reason);                                                               \
    return;                                                                                        \
  } while (0)

// The same for a test of something that the debug build's allocator (BURROW_ALLOC_DEBUG) does
// otherwise: sizes, places, what each tier holds.
#if BW_ALLOC_DEBUG
#define SKIP_IN_ALLOC_DEBUG(reason) SKIP(reason)
#else
#define SKIP_IN_ALLOC_DEBUG(reason) ((void)0)
#endif

// True under ThreadSanitizer or AddressSanitizer, and with the debug build's allocator: stress
// loops take their short form.
bool test_is_slow_build(void);

// How long a stress test is to go on: BURROW_STRESS_SECONDS, else `seconds`.
int64_t test_stress_ns(int seconds);

// Natively has the system refuse more memory soon: after 24 MB. (Linear memory has a limit anyway.)
void test_limit_memory(void);

// Runs `body` as main goroutine on `procs` Ps (0: one per core) and checks that it returns 0.
void test_run(int (*body)(void *), void *arg, int procs);

#endif
