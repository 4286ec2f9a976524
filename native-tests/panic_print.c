// Panics that nobody recovers: what is printed, and that nothing keeps the program from its end.
// Behaviours 69 to 73 and 95 of docs/behaviours.md; more of 69, 72 and 73 in sched_basic.c and
// sched_dead.c.
#include "panic_util.h"

#include "port/port.h"

static void panic_now(void *message) { bw_panic("%s", (const char *)message); }
static int on_main(void *fn) {
  ((void (*)(void))(intptr_t)fn)();
  return 0;
}
static void run_main(void (*fn)(void)) { test_run(on_main, (void *)(intptr_t)fn, 1); }

// behaviour 69: deferred calls run first, then the message and the goroutine.
static void deferred_then_death(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "deferred");
  bw_panic("oh no");
}
static void print_trace(void *unused) {
  (void)unused;
  fprintf(stderr, "%s\n", trace.text);
}
static void print_then_death(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(print_trace, NULL);
  deferred_then_death();
}
DEATH_TEST(
    panic_b69_deferred_calls_run_before_the_end, 2,
    "deferred \npanic: oh no\n\ngoroutine 1 [running]:\n  panic in deferred_then_death at ") {
  run_main(print_then_death);
}
DEATH_TEST(panic_b69_on_a_plain_thread, 2,
           "deferred \npanic: oh no\n\nthread without a goroutine [running]\n") {
  print_then_death();
}

// behaviour 70: nested ones, the innermost last.
static void nested(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(panic_now, "pt1");
  BW_DEFER(panic_now, "pt2");
  bw_panic("hello");
}
DEATH_TEST(panic_b70_nested, 2, "panic: hello\n\tpanic: pt2\n\tpanic: pt1\n\ngoroutine 1 ") {
  run_main(nested);
}

// behaviour 71: one that was recovered before another came.
static void recover_and_panic(void *message, bw_panicking *panicking) {
  CHECK(bw_recover(panicking) != NULL);
  panic_now(message);
}
static void recovered_and_new(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(recover_and_panic, "second");
  bw_panic("first");
}
DEATH_TEST(panic_b71_recovered, 2, "panic: first [recovered]\n\tpanic: second\n\ngoroutine 1 ") {
  run_main(recovered_and_new);
}
static void recover_again(void *arg, bw_panicking *panicking) {
  CHECK(!arg);
  bw_panic_again(bw_recover(panicking));
}
static void repanicked(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(panic_now, "last");
  BW_DEFER(recover_again, NULL);
  bw_panic("first");
}
DEATH_TEST(panic_b71_recovered_and_raised_again, 2,
           "panic: first [recovered, repanicked]\n\tpanic: last\n\ngoroutine 1 ") {
  run_main(repanicked);
}
// One that was recovered, and its function returned, is forgotten.
static void forgotten(void) {
  caught c;
  CHECK(panics(panic_now, "before", &c));
  fprintf(stderr, "then\n");
  bw_panic("after");
}
DEATH_TEST(panic_b71_recovered_and_returned, 2, "then\npanic: after\n\ngoroutine 1 ") {
  run_main(forgotten);
}

// ---- values -------------------------------------------------------------------------------------

static void write_plainly(void *value, char *text, size_t room) {
  snprintf(text, room, "number %d", *(int *)value);
}
static int seven = 7;
static void value(void) { bw_panic_value(&seven, write_plainly); }
static void pointer(void) { bw_panic_value((void *)(uintptr_t)0x70, NULL); }
DEATH_TEST(panic_b69_value, 2, "panic: number 7\n\ngoroutine 1 ") { run_main(value); }
DEATH_TEST(panic_b69_pointer, 2, "panic: (void *) 0x70\n\ngoroutine 1 ") { run_main(pointer); }

// behaviour 72: what writes the value's text panics,
static void write_panics(void *message, char *text, size_t room) {
  CHECK(room > 0 && !text[0]);
  bw_panic("%s", (char *)message);
}
static void value_panics(void) { bw_panic_value("in write", write_panics); }
DEATH_TEST(panic_b72_message_panics, 2,
           "fatal error: panic while printing panic value: in write\n") {
  run_main(value_panics);
}
DEATH_TEST(panic_b72_message_panics_on_a_plain_thread, 2,
           "fatal error: panic while printing panic value: in write\n") {
  value_panics();
}
// with a value that panics as well,
static void write_panics_with_a_value(void *message, char *text, size_t room) {
  CHECK(room > 0 && !text[0]);
  bw_panic_value(message, write_panics_with_a_value);
}
static void value_panics_without_end(void) { bw_panic_value("", write_panics_with_a_value); }
DEATH_TEST(panic_b72_message_panics_without_end, 2, "panic while printing panic value") {
  run_main(value_panics_without_end);
}
// or panics and recovers,
static void write_recovers(void *number, char *text, size_t room) {
  caught c;
  CHECK(panics(panic_now, "inside", &c));
  snprintf(text, room, "%d %s", *(int *)number, c.text);
}
static void value_recovers(void) { bw_panic_value(&seven, write_recovers); }
DEATH_TEST(panic_b72_message_recovers, 2, "panic: 7 inside\n\ngoroutine 1 ") {
  run_main(value_recovers);
}
// ends the goroutine,
static void write_exits(void *unused, char *text, size_t room) {
  CHECK(!unused && room > 0 && !text[0]);
  bw_goexit();
}
static void value_exits(void) { bw_panic_value(NULL, write_exits); }
DEATH_TEST(panic_b72_message_ends_the_goroutine, 2,
           "fatal error: panic while printing panic value: Goexit\n") {
  run_main(value_exits);
}
// yields, waits, sleeps, and writes files.
static void send(void *c) { bw_chan_send(c, NULL); }
static void write_busily(void *c, char *text, size_t room) {
  for (int i = 0; i < 100; i++) bw_gosched();
  CHECK_EQ(bw_go(send, c), 0);
  bw_chan_recv(c, NULL);
  bw_sleep(BW_MILLISECOND);
  bw__port_write(2, "I/O\n", 4);
  snprintf(text, room, "busy");
}
static int value_is_busy(void *c) { bw_panic_value(c, write_busily); }
DEATH_TEST(panic_b72_message_yields_and_waits_and_writes, 2, "I/O\npanic: busy\n\ngoroutine 1 ") {
  test_run(value_is_busy, bw_chan_make(0, 0), 2);
}
// A text that overruns nothing.
static void write_all(void *unused, char *text, size_t room) {
  CHECK(!unused);
  memset(text, 'x', room);
}
static void value_is_long(void) { bw_panic_value(NULL, write_all); }
DEATH_TEST(panic_value_without_an_end, 2, "xxxx\n\ngoroutine 1 ") { run_main(value_is_long); }

// behaviour 95: deep in frames, some of which the compiler has merged, while a trace runs: the
// goroutine's name and number are there.
enum { FRAMES = 40 };
static inline __attribute__((always_inline)) void panic_inlined(int frames) {
  bw_panic("below %d frames", frames);
}
static __attribute__((noinline)) void panic_below(volatile int *depth) {
  if (++*depth == FRAMES) panic_inlined(FRAMES);
  if (*depth < FRAMES) panic_below(depth);
  --*depth; // so that the call is none that the compiler turns into a jump
}
static void panic_deep(void *unused) {
  (void)unused;
  volatile int depth = 0;
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "deferred");
  panic_below(&depth);
}
static int panic_traced(void *unused) {
  (void)unused;
  CHECK_EQ(bw_trace_start(4096), 0);
  CHECK_EQ(bw_go_with(&(bw_go_options){.name = "deep"}, panic_deep, NULL), 0);
  bw_chan_recv(NULL, NULL);
  return 1;
}
DEATH_TEST(panic_b95_names_in_a_traced_panic, 2, "\n  deep ") { test_run(panic_traced, NULL, 1); }

// ---- places where there is nobody to recover ----------------------------------------------------

// What bw_run was called from is not of the goroutines' world.
static void outside(void *fn) { test_run(on_main, fn, 1); }
static void panic_in_goroutine(void) { bw_panic("inside"); }
DEATH_TEST(panic_is_not_recovered_outside_of_bw_run, 2, "panic: inside\n\ngoroutine 1 ") {
  caught c;
  panics(outside, (void *)(intptr_t)panic_in_goroutine, &c);
  printf("recovered\n");
}

// In a blocking call what the call itself defers counts, and nothing else does.
static void recovers_in_blocking_call(void *arg) {
  caught c;
  CHECK(panics(panic_now, arg, &c));
  CHECK_STR(c.text, arg);
}
static void blocking_panics(void *arg) { bw_blocking(panic_now, arg); }
static void in_blocking_call(void) {
  caught c;
  bw_blocking(recovers_in_blocking_call, "first");
  fprintf(stderr, "recovered\n");
  if (bw__port_capabilities.threads) panics(blocking_panics, "second", &c);
  bw_panic("second");
}
DEATH_TEST(panic_in_a_blocking_call, 2, "recovered\npanic: second\n\ngoroutine 1 [") {
  run_main(in_blocking_call);
}
