// Goexit and deferred calls: behaviours 64 to 67 of docs/behaviours.md.
#include "panic_util.h"

// Runs fn on a goroutine that must not return from it, and waits for its end.
typedef struct {
  void (*fn)(void);
  bw_chan *done;
} exiting;

static void tell(void *done) { bw_chan_send(done, NULL); }

static void run_exiting(void *arg) {
  exiting e = *(exiting *)arg;
  BW_DEFER_SCOPE;
  BW_DEFER(tell, e.done);
  e.fn();
  say("returned ");
}

static int exits(void *fn) {
  exiting e = {(void (*)(void))(intptr_t)fn, bw_chan_make(0, 0)};
  CHECK_EQ(bw_go(run_exiting, &e), 0);
  bw_chan_recv(e.done, NULL);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(e.done);
  return 0;
}

static void check_exits(void (*fn)(void), const char *want) {
  test_run(exits, (void *)(intptr_t)fn, 1);
  CHECK_TRACE(want);
}

static void panic_now(void *message) { bw_panic("%s", (const char *)message); }
static void exit_now(void *word) {
  say("%s ", (const char *)word);
  bw_goexit();
}

// behaviour 64: Goexit runs the deferred calls of all frames; recover in them returns nil.
static void exit_below(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "inner");
  for (int i = 0; i < 3; i++) BW_DEFER(say_number, NUMBER(i));
  bw_goexit();
}
static void exit_plainly(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(say_word, "outer");
  BW_DEFER(rescue, "outer");
  exit_below();
}
TEST(panic_b64_goexit_runs_deferred_calls) {
  check_exits(exit_plainly, "2 1 0 inner(nil) outer(nil) outer ");
}

// behaviour 65: in a deferred call during a panic it ends the goroutine and drops the panic.
static void exit_in_panic(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "b");
  BW_DEFER(exit_now, "exit");
  BW_DEFER(say_word, "a");
  bw_panic("1");
}
static void recover_then_exit(void *arg, bw_panicking *panicking) {
  rescue(arg, panicking);
  bw_goexit();
}
static void exit_after_recover(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "b");
  BW_DEFER(recover_then_exit, "a");
  bw_panic("1");
}
TEST(panic_b65_goexit_in_a_panic) { check_exits(exit_in_panic, "a exit b(nil) "); }
TEST(panic_b65_goexit_after_recover) { check_exits(exit_after_recover, "a(1) b(nil) "); }

// behaviour 66: a panic in a deferred call while Goexit runs them, not recovered: the program dies
// of it. What was dropped before is printed with it, and Goexit is not.
static void panic_in_exit(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(panic_now, "in goexit");
  bw_goexit();
}
DEATH_TEST(panic_b66_panic_in_goexit, 2, "panic: in goexit\n\ngoroutine ") {
  check_exits(panic_in_exit, "");
}
static void panic_exit_panic(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(panic_now, "2");
  BW_DEFER(exit_now, "exit");
  bw_panic("1");
}
DEATH_TEST(panic_b66_panic_in_goexit_in_panic, 2, "panic: 1\npanic: 2\n\ngoroutine ") {
  check_exits(panic_exit_panic, "");
}

// behaviour 67: recovered, Goexit goes on: the goroutine ends and does not return to the caller.
static void recovered_in_exit(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(say_word, "rest");
  BW_DEFER(rescue, "after");
  BW_DEFER(rescue, "first");
  BW_DEFER(panic_now, "1");
  bw_goexit();
}
static void recovered_outside(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(say_word, "rest");
  BW_DEFER(rescue, "outside");
  {
    BW_DEFER_SCOPE;
    BW_DEFER(panic_now, "1");
    bw_goexit();
  }
}
static void recover_inside(void *message) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "inside");
  panic_now(message);
}
static void recovered_inside(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "rest");
  BW_DEFER(recover_inside, "2");
  BW_DEFER(recover_inside, "1");
  bw_goexit();
}
static void exit_in_exit(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "last");
  BW_DEFER(rescue, "third");
  BW_DEFER(panic_now, "2");
  BW_DEFER(exit_now, "second");
  BW_DEFER(rescue, "first");
  BW_DEFER(panic_now, "1");
  bw_goexit();
}
TEST(panic_b67_recovered_panic_in_goexit) {
  check_exits(recovered_in_exit, "first(1) after(nil) rest ");
}
TEST(panic_b67_recovered_in_an_outer_scope) { check_exits(recovered_outside, "outside(1) rest "); }
TEST(panic_b67_recovered_in_the_deferred_call) {
  check_exits(recovered_inside, "inside(1) inside(2) rest ");
}
TEST(panic_b67_goexit_in_goexit) {
  check_exits(exit_in_exit, "first(1) second third(2) last(nil) ");
}

// A panic before it that was recovered; and many panics within one Goexit, which take no more stack
// than one.
static void recovered_before(void) {
  caught c;
  CHECK(panics(panic_now, "0", &c));
  recovered_in_exit();
}
static void many_panics_in_exit(void) {
  static caught c;
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  for (int i = 0; i < 1000; i++) {
    BW_DEFER(catch_it, &c);
    BW_DEFER(panic_now, "again");
  }
  bw_goexit();
}
TEST(panic_b67_recovered_panic_before_goexit) {
  check_exits(recovered_before, "first(1) after(nil) rest ");
}
TEST(panic_many_in_one_goexit) { check_exits(many_panics_in_exit, ""); }

// behaviour 63 with deferred calls: those of the main goroutine run before the others are left
// alone.
static void last_word(void *gate) {
  bw_chan_recv(gate, NULL);
  printf("the others\n");
  fflush(stdout);
}
static int main_exits(void *gate) {
  BW_DEFER_SCOPE;
  BW_DEFER(tell, gate);
  CHECK_EQ(bw_go(last_word, gate), 0);
  bw_goexit();
}
DEATH_TEST(sched_b63_goexit_of_main_runs_its_deferred_calls, 2,
           "the others\nfatal error: no goroutines (main called runtime.Goexit) - deadlock!") {
  test_run(main_exits, bw_chan_make(0, 0), 1);
}
