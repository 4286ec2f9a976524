// Division by zero as a panic: of bw_div everywhere, of C's own where the processor faults.
// Behaviour 92 of docs/behaviours.md.
#include "panic_util.h"

#include "base/config.h"
#include "sched/sched.h"

#include <burrow/profile.h>
#if !BW_WASM
#include <pthread.h>
#include <signal.h>
#endif

#define ZERO     "runtime error: integer divide by zero"
#define OVERFLOW "runtime error: integer overflow"
#define SIGNAL   "\n[signal SIGFPE: floating-point exception code=0x1 addr=0x"

// ---- bw_div, bw_mod -----------------------------------------------------------------------------

BOTH_TEST(panic_b92_div_is_the_division) {
  static const int64_t all[] = {INT64_MIN, INT64_MIN + 1, -7, -2, -1, 1, 2, 3, INT64_MAX};
  enum { N = sizeof all / sizeof *all };
  for (int i = 0; i < N * N; i++) {
    int64_t n = all[i / N], by = all[i % N];
    if (n == INT64_MIN && by == -1) continue;
    CHECK_EQ(bw_div(n, by), n / by);
    CHECK_EQ(bw_mod(n, by), n % by);
  }
  CHECK_EQ(bw_div(INT64_MIN, -1), INT64_MIN);
  CHECK_EQ(bw_mod(INT64_MIN, -1), 0);
  CHECK_EQ(bw_div(0, -5), 0);
}

static void div_by(void *by) { *(int64_t *)by = bw_div(1, *(int64_t *)by); }
static void mod_by(void *by) { *(int64_t *)by = bw_mod(1, *(int64_t *)by); }

BOTH_TEST(panic_b92_div_by_zero_is_recovered) {
  void (*const both[])(void *) = {div_by, mod_by};
  for (int i = 0; i < 4; i++) {
    int64_t by = 0;
    caught c;
    CHECK(panics(both[i % 2], &by, &c));
    CHECK_STR(c.text, ZERO);
    CHECK(c.runtime_error);
    by = 1;
    CHECK(!panics(both[i % 2], &by, &c));
    CHECK_EQ(by, i % 2 == 0);
  }
}

// In the function of the scope itself, where C's own division would not do.
static int64_t div_or(int64_t n, int64_t by, int64_t otherwise) {
  caught c;
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return otherwise;
  BW_DEFER(catch_it, &c);
  return bw_div(n, by);
}
BOTH_TEST(panic_b92_div_in_the_scope_itself) {
  CHECK_EQ(div_or(12, 4, -1), 3);
  CHECK_EQ(div_or(12, 0, -1), -1);
}

static int die_of_div(void *arg) {
  (void)arg;
  int64_t by = 0;
  div_by(&by);
  return 0;
}
DEATH_TEST(panic_b92_div_not_recovered, 2,
           "panic: " ZERO "\n\ngoroutine 1 [running]:\n  panic in div_by at ") {
  test_run(die_of_div, NULL, 1);
}

// ---- C's own ------------------------------------------------------------------------------------

#if defined(__x86_64__)
#define FAULTS 1
#else
#define FAULTS 0
#endif

#if FAULTS
#define SKIP_WITHOUT_FAULTS() ((void)0)
#else
#define SKIP_WITHOUT_FAULTS() SKIP("divisions do not fault here, or end the program")
#endif

// What UBSan would end before the fault.
#define UNSEEN BW_NOINLINE __attribute__((no_sanitize("undefined")))

typedef struct {
  volatile int n, by;
} division;

// A leaf: it has no frame, and may have its variables below the stack pointer.
UNSEEN static int divide_leaf(const division *d) { return d->n / d->by; }

UNSEEN static void divide_now(void *arg) {
  division *d = arg;
  d->n = divide_leaf(d);
}
static void (*volatile divide)(void *) = divide_now; // or the compiler knows that it defers nothing

static division by_zero(void) { return (division){7, 0}; }

static void check_recovers(division d, const char *text) {
  caught c;
  CHECK(panics(divide, &d, &c));
  CHECK_STR(c.text, text);
  CHECK(c.runtime_error);
  CHECK(c.value == NULL);
}

// More than once: the signal is not blocked afterwards.
static int recover_some(void *arg) {
  (void)arg;
  for (int i = 0; i < 5; i++) {
    check_recovers(by_zero(), ZERO);
    bw_gosched();
    check_recovers((division){INT32_MIN, -1}, OVERFLOW);
    division d = {12, 4};
    caught c;
    CHECK(!panics(divide, &d, &c));
    CHECK_EQ(d.n, 3);
  }
#if FAULTS
  sigset_t blocked;
  CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
  CHECK(!sigismember(&blocked, SIGFPE));
  stack_t stack;
  CHECK_EQ(sigaltstack(NULL, &stack), 0);
  CHECK(!(stack.ss_flags & SS_ONSTACK));
#endif
  return 0;
}
TEST(panic_b92_fault_is_recovered_again_and_again) {
  SKIP_WITHOUT_FAULTS();
  test_run(recover_some, NULL, 1);
}

static void recover_in_one(void *done) {
  recover_some(NULL);
  bw_waitgroup_done(done);
}
static int recover_in_many(void *arg) {
  (void)arg;
  enum { MANY = 100 };
  bw_waitgroup all = {0};
  bw_waitgroup_add(&all, MANY);
  for (int i = 0; i < MANY; i++) CHECK_EQ(bw_go(recover_in_one, &all), 0);
  bw_waitgroup_wait(&all);
  return 0;
}
TEST(panic_b92_fault_on_many_goroutines) {
  SKIP_WITHOUT_FAULTS();
  test_run(recover_in_many, NULL, 4);
}

// On all sizes, and with the divisor wherever an instruction can have it.
#if FAULTS
static _Thread_local int own_divisor;

#define DIVIDE_BY(name, operation, ...)                                                            \
  UNSEEN static void name(void *arg) {                                                             \
    const division *d = arg;                                                                       \
    int64_t table[40] = {0}, n = d->by ? INT64_MIN : 1;                                            \
    int64_t high = n < 0 ? -1 : 0, at = 3, by = d->by;                                             \
    for (int i = 0; i < 40; i++) table[i] = by;                                                    \
    own_divisor = d->by;                                                                           \
    __asm__ volatile(operation                                                                     \
                     : "+a"(n), "+d"(high)                                                         \
                     : "c"(by), "r"(table), "r"(at), "r"(&own_divisor), ##__VA_ARGS__              \
                     : "r8", "r13", "memory");                                                     \
  }
DIVIDE_BY(divide_byte, "movw $0x8000, %%ax\n idivb %%cl")
DIVIDE_BY(divide_high_byte, "movb %%cl, %%ch\n movb $1, %%cl\n movw $0x8000, %%ax\n idivb %%ch")
DIVIDE_BY(divide_new_byte, "movq %2, %%r8\n movw $0x8000, %%ax\n idivb %%r8b")
DIVIDE_BY(divide_half, "movw $0x8000, %%ax\n movw $-1, %%dx\n idivw %%cx")
DIVIDE_BY(divide_word, "movl $0x80000000, %%eax\n movl $-1, %%edx\n idivl %%ecx")
DIVIDE_BY(divide_quad, "idivq %%rcx")
DIVIDE_BY(divide_new, "movq %2, %%r13\n idivq %%r13")
DIVIDE_BY(divide_at_base, "idivq (%3)")
DIVIDE_BY(divide_at_near, "idivq 16(%3)")
DIVIDE_BY(divide_at_far, "idivq 256(%3)")
DIVIDE_BY(divide_at_r13, "movq %3, %%r13\n idivq (%%r13)")
DIVIDE_BY(divide_in_table, "idivq 8(%3,%4,8)")
DIVIDE_BY(divide_in_new_table, "movq %3, %%r13\n movq %4, %%r8\n idivq (%%r13,%%r8,8)")
DIVIDE_BY(divide_no_base, "movq %3, %%r8\n subq $64, %%r8\n idivq 64(,%%r8,1)")
DIVIDE_BY(divide_on_stack, "pushq %2\n movl $0x80000000, %%eax\n movl $-1, %%edx\n idivl (%%rsp)\n "
                           "popq %2")
DIVIDE_BY(divide_in_fs, "movq %5, %%r8\n subq %%fs:0, %%r8\n movl $0x80000000, %%eax\n "
                        "movl $-1, %%edx\n idivl %%fs:(%%r8)")

static int static_divisor;
UNSEEN static void divide_static(void *arg) {
  static_divisor = ((division *)arg)->by;
  int n = INT32_MIN, high = -1;
  __asm__ volatile("idivl %2" : "+a"(n), "+d"(high) : "m"(static_divisor));
}
// The quotient is too large for its half of the registers.
UNSEEN static void divide_unsigned(void *arg) {
  uint32_t n = 1, high = 5, by = (uint32_t)((division *)arg)->by & 5;
  __asm__ volatile("divl %2" : "+a"(n), "+d"(high) : "r"(by));
}

static int divide_in_all_forms(void *arg) {
  (void)arg;
  void (*const all[])(void *) = {
      divide_byte,   divide_high_byte,    divide_new_byte, divide_half,    divide_word,
      divide_quad,   divide_new,          divide_at_base,  divide_at_near, divide_at_far,
      divide_at_r13, divide_in_table,     divide_no_base,  divide_in_fs,   divide_on_stack,
      divide_static, divide_in_new_table, divide_unsigned,
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    caught c;
    division d = by_zero(), minus = {7, -1};
    say("%zu ", i); // for who looks why the next fails
    CHECK(panics(all[i], &d, &c));
    CHECK_STR(c.text, ZERO);
    CHECK(panics(all[i], &minus, &c));
    CHECK_STR(c.text, OVERFLOW);
  }
  return 0;
}
#else
static int divide_in_all_forms(void *arg) { return arg != NULL; }
#endif
TEST(panic_b92_zero_or_overflow_in_all_forms) {
  SKIP_WITHOUT_FAULTS();
  test_run(divide_in_all_forms, NULL, 1);
}

// Deferred calls, and what they allocate, run on top of the code that divided: a profile walks over
// both.
static void allocate_much(void *unused) {
  (void)unused;
  void *all[64];
  for (int i = 0; i < 64; i++) CHECK((all[i] = bw_malloc(1000)) != NULL);
  for (int i = 0; i < 64; i++) bw_free(all[i]);
}
static void divide_with_calls(void *d) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "outer");
  BW_DEFER(allocate_much, NULL);
  divide(d);
}
static int profiled(void *arg) {
  (void)arg;
  bw_profile_heap_options every = {.rate = 1};
  CHECK_EQ(bw_profile_heap_start(&every), 0);
  division d = by_zero();
  caught c;
  CHECK(panics(divide_with_calls, &d, &c));
  CHECK_STR(c.text, ZERO);
  CHECK_TRACE("outer ");
  bw_profile_heap_stop();
  return 0;
}
TEST(panic_b92_fault_runs_deferred_calls) {
  SKIP_WITHOUT_FAULTS();
  test_run(profiled, NULL, 1);
}

static void divide_blocking(void *d) { bw_blocking(divide, d); }
static int divides_and_dies(void *fn) {
  division d = by_zero();
  ((void (*)(void *))(intptr_t)fn)(&d);
  return 0;
}
static void run_and_die(void (*fn)(void *)) { test_run(divides_and_dies, (void *)(intptr_t)fn, 1); }

#if FAULTS
#define DIVIDE_DEATH_TEST(name, status, text) DEATH_TEST(name, status, text)
#else
#define DIVIDE_DEATH_TEST(name, status, text) __attribute__((unused)) static void name(void)
#endif

DIVIDE_DEATH_TEST(panic_b92_fault_not_recovered, 2, "panic: " ZERO SIGNAL) { run_and_die(divide); }
DIVIDE_DEATH_TEST(panic_b92_fault_in_a_blocking_call, 2, "panic: " ZERO SIGNAL) {
  run_and_die(divide_blocking);
}

// Printed once, behind all panics, and with them when it is raised again.
static void panic_too(void *unused) {
  (void)unused;
  bw_panic("and more");
}
static void divide_and_panic(void *d) {
  BW_DEFER_SCOPE;
  BW_DEFER(panic_too, NULL);
  divide(d);
}
DIVIDE_DEATH_TEST(panic_b92_fault_and_another_panic, 2,
                  "panic: " ZERO "\n\tpanic: and more" SIGNAL) {
  run_and_die(divide_and_panic);
}
static void raise_again(void *unused, bw_panicking *p) {
  (void)unused;
  bw_panic_again(bw_recover(p));
}
static void divide_and_raise(void *d) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(raise_again, NULL);
  divide(d);
}
DIVIDE_DEATH_TEST(panic_b92_fault_raised_again, 2,
                  "panic: " ZERO " [recovered, repanicked]" SIGNAL) {
  run_and_die(divide_and_raise);
}

// ---- whose fault is not ours --------------------------------------------------------------------

#if FAULTS
static int nothing(void *arg) { return arg != NULL; }

static void *divide_on_thread(void *unused) {
  (void)unused;
  division d = by_zero();
  divide(&d);
  return NULL;
}
static void *recover_on_thread(void *unused) {
  check_recovers(by_zero(), ZERO);
  check_recovers((division){INT32_MIN, -1}, OVERFLOW);
  return unused;
}

static void on_thread(void *(*fn)(void *)) {
  pthread_t t;
  CHECK_EQ(pthread_create(&t, NULL, fn, NULL), 0);
  CHECK_EQ(pthread_join(t, NULL), 0);
}

static int with_thread(void *fn) {
  on_thread((void *(*)(void *))(intptr_t)fn);
  return 0;
}

TEST(panic_b92_fault_on_a_plain_thread_in_a_scope) {
  test_run(nothing, NULL, 1);
  on_thread(recover_on_thread);
  test_run(with_thread, (void *)(intptr_t)recover_on_thread, 1);
}

#if BW_ASAN || BW_TSAN
#define SKIP_SANITIZED() SKIP("the sanitizer's handler ends the program in its own way")
#else
#define SKIP_SANITIZED() ((void)0)
#endif

DEATH_TEST(panic_b92_plain_thread_dies_of_the_signal, 128 + SIGFPE, NULL) {
  SKIP_SANITIZED();
  test_run(with_thread, (void *)(intptr_t)divide_on_thread, 1);
}
DEATH_TEST(panic_b92_after_the_run_the_signal_is_back, 128 + SIGFPE, NULL) {
  SKIP_SANITIZED();
  test_run(nothing, NULL, 1);
  divide_on_thread(NULL);
}
static int send_signal(void *arg) {
  (void)arg;
  return raise(SIGFPE);
}
DEATH_TEST(panic_b92_a_signal_that_was_sent_is_no_panic, 128 + SIGFPE, NULL) {
  SKIP_SANITIZED();
  test_run(send_signal, NULL, 1);
}

static volatile sig_atomic_t seen;

static void note_signal(int signal_number, siginfo_t *info, void *context) {
  (void)signal_number;
  (void)context;
  seen++;
  if (info->si_code != FPE_INTDIV) return;
  static const char text[] = "the program's own handler\n";
  bw__port_write(2, text, sizeof text - 1);
  bw__port_exit(3);
}
static void install_own(void) {
  struct sigaction own = {.sa_sigaction = note_signal, .sa_flags = SA_SIGINFO};
  CHECK_EQ(sigaction(SIGFPE, &own, NULL), 0);
}

// Those of goroutines do not come to it, foreign ones and sent ones do.
static int own_and_foreign(void *arg) {
  recover_some(NULL);
  CHECK_EQ(seen, 0);
  send_signal(NULL);
  CHECK_EQ(seen, 1);
  on_thread(divide_on_thread);
  return arg != NULL;
}
DEATH_TEST(panic_b92_handler_of_the_program, 3, "the program's own handler") {
  install_own();
  test_run(own_and_foreign, NULL, 1);
}

// A handler of another signal that has a stack of its own is no code of the goroutine.
static void divide_in_handler(int signal_number) {
  (void)signal_number;
  divide_on_thread(NULL);
}
static int send_other(void *arg) {
  (void)arg;
  struct sigaction other = {.sa_handler = divide_in_handler, .sa_flags = SA_ONSTACK};
  CHECK_EQ(sigaction(SIGUSR1, &other, NULL), 0);
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "never");
  return raise(SIGUSR1);
}
DEATH_TEST(panic_b92_handler_of_another_signal, 3, "the program's own handler") {
  if (BW_TSAN) SKIP("ThreadSanitizer runs handlers later, and on the goroutine's stack");
  install_own();
  test_run(send_other, NULL, 1);
}
#endif
