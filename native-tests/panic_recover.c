// Panics that are recovered. Behaviours 75 to 85, 88, 89 and 92 of docs/behaviours.md.
#include "panic_util.h"

#include <burrow/error.h>

static void panic_now(void *message) { bw_panic("%s", (const char *)message); }

// ---- who may recover ----------------------------------------------------------------------------

// behaviour 76: the deferred function that the panic runs; its own deferred functions see none.
static void rescue_deferred_in_deferred(void *arg) {
  (void)arg;
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "inner");
}
static void nested_does_not(void *arg) {
  (void)arg;
  BW_DEFER_SCOPE;
  BW_DEFER(rescue_deferred_in_deferred, NULL);
  bw_panic("1");
}
BOTH_TEST(panic_b76_not_by_what_a_deferred_function_defers) {
  caught c;
  CHECK(panics(nested_does_not, NULL, &c));
  CHECK_STR(c.text, "1");
  CHECK_TRACE("inner(nil) ");
}

// behaviour 76: who kept the panic of a call that is over has nothing.
static bw_panicking *kept;
static void keep(void *arg, bw_panicking *panicking) {
  kept = panicking;
  CHECK(bw_recover(panicking) != NULL);
  CHECK(!arg);
}
static void recover_kept(void *arg, bw_panicking *panicking) {
  CHECK(bw_recover(kept) == NULL);
  catch_it(arg, panicking);
}
static void keeps(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(keep, NULL);
  bw_panic("1");
}
static bool uses_kept(caught *c) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return true;
  BW_DEFER(recover_kept, c);
  char room[512]; // so that the next panic lies elsewhere
  panic_now(memcpy(room, "2", 2));
  return false;
}
BOTH_TEST(panic_b76_not_when_the_call_is_over) {
  caught c;
  keeps();
  CHECK(bw_recover(kept) == NULL);
  CHECK(uses_kept(&c));
  CHECK_STR(c.text, "2");
}

// behaviour 76: `defer recover()` itself does nothing; behaviour 77: in a deferred function it
// stops the panic.
static void itself(void *arg) {
  (void)arg;
  BW_DEFER_SCOPE;
  BW_DEFER_RECOVER(NULL);
  bw_panic("1");
}
static void defers_recover(void *arg, bw_panicking *panicking) {
  (void)arg;
  BW_DEFER_SCOPE;
  BW_DEFER_RECOVER(panicking);
  say("deferred ");
}
static void stopped(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(defers_recover, NULL);
  bw_panic("1");
}
BOTH_TEST(panic_b76_defer_recover_itself) {
  caught c;
  CHECK(panics(itself, NULL, &c));
  CHECK_STR(c.text, "1");
}
BOTH_TEST(panic_b77_defer_recover_in_a_deferred_function) {
  stopped();
  CHECK_TRACE("deferred ");
}

// behaviour 78: nil when nothing panics, and nil again after one success.
static void rescue_twice(void *arg, bw_panicking *panicking) {
  rescue("first", panicking);
  rescue("second", panicking);
  CHECK(!arg);
}
static void maybe(const char *message) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "after");
  BW_DEFER(rescue_twice, NULL);
  if (message) bw_panic("%s", message);
}
BOTH_TEST(panic_b78_nil_without_a_panic_and_the_second_time) {
  CHECK(bw_recover(NULL) == NULL);
  maybe(NULL);
  CHECK_TRACE("first(nil) second(nil) after(nil) ");
  maybe("1");
  CHECK_TRACE("first(1) second(nil) after(nil) ");
}

DEATH_TEST(panic_recovering_function_in_a_scope_without_a_place_to_go_on, 2,
           "fatal error: a deferred function that may recover, in a scope without BW_ON_RECOVER") {
  BW_DEFER_SCOPE;
  BW_DEFER(rescue, NULL);
}
DEATH_TEST(panic_the_same_with_a_copied_argument, 2, "in a scope without BW_ON_RECOVER") {
  BW_DEFER_SCOPE;
  BW_DEFER_COPY(rescue, 1);
}

// ---- where it goes on ---------------------------------------------------------------------------

// behaviour 79: the rest of the deferred calls run, and the function returns to its caller.
static int rest_runs(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return 5;
  BW_DEFER(say_word, "a");
  BW_DEFER(say_word, "b");
  BW_DEFER(rescue, NULL);
  BW_DEFER(say_word, "c");
  for (int i = 0; i < 3; i++) BW_DEFER(say_number, NUMBER(i));
  bw_panic("1");
}
BOTH_TEST(panic_b79_the_rest_runs_and_the_function_returns) {
  CHECK_EQ(rest_runs(), 5);
  CHECK_TRACE("2 1 0 c rescue(1) b a ");
}

// behaviour 80: a deferred function sets the result, before or after the one that recovers.
static void set_to_7(void *result) { *(int *)result = 7; }
static void set_on_panic(void *result, bw_panicking *panicking) {
  if (bw_recover(panicking)) *(int *)result = -1;
}
static int result_of(bool fail, bool set_last) {
  int result = 0;
  BW_DEFER_SCOPE;
  BW_ON_RECOVER(result) return result;
  if (set_last) BW_DEFER(set_to_7, &result);
  BW_DEFER(set_on_panic, &result);
  result = 1;
  if (fail) bw_panic("1");
  result = 2;
  BW_DEFER_RETURN(result);
}
BOTH_TEST(panic_b80_sets_the_result) {
  CHECK_EQ(result_of(false, false), 2);
  CHECK_EQ(result_of(true, false), -1);
  CHECK_EQ(result_of(false, true), 7);
  CHECK_EQ(result_of(true, true), 7);
}

// The variables that BW_ON_RECOVER names have their last values.
static int four(int n) {
  int a = n, b = n, c = n, d = n;
  BW_DEFER_SCOPE;
  BW_ON_RECOVER(a, b, c, d) return a * 1000 + b * 100 + c * 10 + d;
  BW_DEFER(rescue, NULL);
  a++;
  b += 2;
  c += 3;
  d += 4;
  panic_now("1");
  return 0;
}
BOTH_TEST(panic_variables_of_the_place_to_go_on) {
  CHECK_EQ(four(1), 2345);
  CHECK_TRACE("rescue(1) ");
}

// The innermost scope that recovers, in one function and across functions; a loop goes on.
static void scopes_in_one_function(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "outer");
  for (int i = 0; i < 3; i++) {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER(i) continue;
    BW_DEFER(rescue, "inner");
    if (i == 1) continue;
    bw_panic("%d", i);
  }
  bw_panic("last");
}
BOTH_TEST(panic_scopes_in_scopes) {
  scopes_in_one_function();
  CHECK_TRACE("inner(0) inner(nil) inner(2) outer(last) ");
}

// behaviour 81: deferred functions with large frames. On a goroutine with a stack for it.
static void large_frame(void *arg, bw_panicking *panicking) {
  enum { SIZE = 800 * 1000 };
  volatile char frame[SIZE];
  memset((void *)frame, 1, sizeof frame);
  rescue(arg, panicking);
  CHECK_EQ(frame[0] + frame[sizeof frame - 1], 2);
}
static void panics_with_large_frames(void *done) {
  {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER() goto out;
    BW_DEFER(large_frame, "large");
    bw_panic("1");
  }
out:
  say("out ");
  bw_chan_close(done);
}
static int with_large_frames(void *arg) {
  (void)arg;
  bw_chan *done = bw_chan_make(0, 0);
  bw_go_options o = {.stack_size = 1000000};
  CHECK_EQ(bw_go_with(&o, panics_with_large_frames, done), 0);
  bw_chan_recv(done, NULL);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(done);
  CHECK_TRACE("large(1) out ");
  return 0;
}
TEST(panic_b81_large_frames) { test_run(with_large_frames, NULL, 1); }

// behaviour 75: a nil function panics when it is called, and what is between runs.
static void nil_function(void *arg) {
  void (*fn)(void *) = NULL;
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "a");
  BW_DEFER(fn, NULL);
  BW_DEFER(say_word, arg);
  say("between ");
}
static void nil_in_a_loop(void *arg) {
  void (*volatile fn)(void *) = NULL;
  BW_DEFER_SCOPE;
  for (int i = 0; i < 2; i++) BW_DEFER(i == 0 ? say_word : fn, arg);
  say("between ");
}
BOTH_TEST(defer_b75_nil_function) {
  caught c;
  CHECK(panics(nil_function, "b", &c));
  CHECK_STR(c.text, "runtime error: invalid memory address or nil pointer dereference");
  CHECK(c.runtime_error);
  CHECK_TRACE("between b a ");
  CHECK(panics(nil_in_a_loop, "b", &c));
  CHECK_TRACE("between b ");
}

// ---- panics in panics ---------------------------------------------------------------------------

// behaviours 82 and 85: a panic in a deferred function, recovered there, leaves the first alive.
static void panic_and_recover_inside(void *arg) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "inside");
  bw_panic("%s", (const char *)arg);
}
static void two_levels(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "outside");
  BW_DEFER(panic_and_recover_inside, "2");
  bw_panic("1");
}
BOTH_TEST(panic_b82_inner_one_recovered_then_the_outer) {
  two_levels();
  CHECK_TRACE("inside(2) outside(1) ");
}

static void deeper(void *arg) {
  (void)arg;
  BW_DEFER_SCOPE;
  BW_DEFER(panic_and_recover_inside, "3");
}
static void not_the_first(void *arg) {
  (void)arg;
  BW_DEFER_SCOPE;
  BW_DEFER(deeper, NULL);
  bw_panic("1");
}
BOTH_TEST(panic_b85_recovered_in_a_deferred_call_of_a_deferred_call) {
  caught c;
  CHECK(panics(not_the_first, NULL, &c));
  CHECK_STR(c.text, "1");
  CHECK_TRACE("inside(3) ");
}

// behaviour 83: a panic in a deferred function replaces the one that runs it.
static void replaced(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "a");
  BW_DEFER(rescue, "b");
  BW_DEFER(panic_now, "3");
  BW_DEFER(panic_now, "2");
  bw_panic("1");
}
static void replace_recovered(void *arg, bw_panicking *panicking) {
  rescue(arg, panicking);
  bw_panic("2");
}
static void replaced_after_recover(void *arg) {
  (void)arg;
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(say_word, "rest");
  BW_DEFER(replace_recovered, "a");
  bw_panic("1");
}
BOTH_TEST(panic_b83_a_newer_one_replaces_it) {
  replaced();
  CHECK_TRACE("b(3) a(nil) ");
  caught c;
  CHECK(panics(replaced_after_recover, NULL, &c));
  CHECK_STR(c.text, "2");
  CHECK_TRACE("a(1) rest ");
}

// behaviour 84: a recovered panic and a later one in the same function are independent.
static void one_after_the_other(void *arg) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "second");
  {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER() goto next;
    BW_DEFER(rescue, "first");
    bw_panic("1");
  }
next:
  say("next ");
  bw_panic("%s", (const char *)arg);
}
static void panics_after_recovery(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(rescue, "second");
  BW_DEFER(panic_now, "2");
  BW_DEFER(rescue, "first");
  bw_panic("1");
}
BOTH_TEST(panic_b84_one_after_the_other) {
  one_after_the_other("2");
  CHECK_TRACE("first(1) next second(2) ");
  panics_after_recovery(); // in the rest of the calls, after the jump
  CHECK_TRACE("first(1) second(2) ");
}

// behaviour 88: a function that never returns by itself runs its deferred calls.
static _Noreturn void always_panics(void *arg) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "deferred");
  bw_panic("%s", (const char *)arg);
}
static void endless(void *arg) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "deferred");
  for (int i = 0;; i++)
    if (i == 1000) always_panics(arg);
}
BOTH_TEST(panic_b88_functions_without_a_return) {
  caught c;
  CHECK(panics(always_panics, "1", &c));
  CHECK(panics(endless, "2", &c));
  CHECK_STR(c.text, "2");
  CHECK_TRACE("deferred deferred deferred ");
}

// behaviour 87: scopes of both forms and records from the heap in one chain of calls.
static void open_frame(int depth);
static void stack_frame(int depth) {
  BW_DEFER_SCOPE_FOR(9, 1);
  BW_ON_RECOVER() return;
  BW_DEFER(say_number, NUMBER(depth));
  if (depth == 3) BW_DEFER(rescue, "stack");
  if (depth > 0) open_frame(depth - 1);
  bw_panic("%d", depth);
}
static void heap_frame(int depth) {
  BW_DEFER_SCOPE_FOR(1, 1);
  BW_ON_RECOVER() return;
  for (int i = 0; i < 2; i++) BW_DEFER(say_number, NUMBER(depth * 10 + i));
  if (depth == 4) BW_DEFER(rescue, "heap");
  if (depth > 0) stack_frame(depth - 1);
  bw_panic("%d", depth);
}
static void open_frame(int depth) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(say_number, NUMBER(depth));
  if (depth == 5) BW_DEFER(rescue, "open");
  if (depth > 0) heap_frame(depth - 1);
  bw_panic("%d", depth);
}
BOTH_TEST(defer_b87_all_forms_recover) {
  open_frame(5);
  CHECK_TRACE("0 11 10 2 stack(0) 3 heap(4) 41 40 open(5) 5 ");
}

// behaviour 89: recovered and raised again all the way up: no record is left behind.
static void again(void *arg, bw_panicking *panicking) {
  const bw_panic_info *info = bw_recover(panicking);
  CHECK(info != NULL);
  CHECK(!arg);
  bw_panic_again(info);
}

static void deep(int depth) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(again, NULL);
  if (depth == 0) bw_panic("bottom");
  deep(depth - 1);
  say("not reached ");
}
static void rethrow(void *arg) { deep(*(int *)arg); }
BOTH_TEST(panic_b89_again_and_again) {
  caught c;
  int depth = 10; // each level adds a panic to the stack
  for (int i = 0; i < 100; i++) {
    CHECK(panics(rethrow, &depth, &c));
    CHECK_STR(c.text, "bottom");
  }
  CHECK_TRACE("");
}

// The same, but each level has returned before the next panic.
static void deep_one_by_one(int depth) {
  caught c;
  for (int i = 0; i < 3; i++) {
    CHECK(panics(panic_now, "here", &c));
    if (i == 1 && depth > 0) deep_one_by_one(depth - 1);
  }
}
BOTH_TEST(panic_b89_deep_recursion_leaves_nothing) { deep_one_by_one(10); }

// ---- values -------------------------------------------------------------------------------------

static void write_number(void *value, char *text, size_t room) {
  snprintf(text, room, "number %d", *(int *)value);
}
static void panic_number(void *n) { bw_panic_value(n, write_number); }
static void panic_pointer(void *p) { bw_panic_value(p, NULL); }
BOTH_TEST(panic_values) {
  caught c;
  int n = 42;
  CHECK(panics(panic_number, &n, &c));
  CHECK(c.value == &n);
  CHECK(!c.runtime_error);
  CHECK_STR(c.text, "number 42");
  CHECK(panics(panic_pointer, NUMBER(0x1234), &c));
  CHECK_STR(c.text, "(void *) 0x1234");
  CHECK(panics(panic_pointer, NULL, &c)); // a value like any other
  CHECK(c.value == NULL);
  CHECK(panics(panic_now, "text", &c));
  CHECK(c.value == NULL);
  CHECK_STR(c.text, "text");
  char longer[400];
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = 0;
  CHECK(panics(panic_now, longer, &c));
  CHECK_EQ(strlen(c.text), 255);
}

// behaviour 92: run-time errors are recoverable and carry their text; what was misused lives on.
static bw_slice three(void) {
  static int numbers[3] = {1, 2, 3};
  return bw_slice_of(numbers, 3);
}
static void index_5(void *arg) { *(int *)arg = *BW_AT(int, three(), 5); }
static void index_minus_1(void *arg) { *(int *)arg = *BW_AT(int, three(), -1); }
static void slice_5(void *arg) { *(bw_slice *)arg = bw_slice_slice(three(), sizeof(int), 0, 5); }
static void slice_2_1(void *arg) { *(bw_slice *)arg = bw_slice_slice(three(), sizeof(int), 2, 1); }
static void make_negative(void *arg) { *(bw_slice *)arg = bw_slice_make(1, -1, 0); }
static void make_cap(void *arg) { *(bw_slice *)arg = bw_slice_make(1, 2, 1); }
static void make_chan(void *arg) { *(bw_chan **)arg = bw_chan_make(8, -1); }
static void send(void *c) { bw_chan_send(c, ""); }
static void try_send(void *c) { bw_chan_try_send(c, ""); }
static void close_it(void *c) { bw_chan_close(c); }

static void check_error(void (*fn)(void *), void *arg, const char *text) {
  caught c;
  CHECK(panics(fn, arg, &c));
  CHECK_STR(c.text, text);
  CHECK(c.runtime_error);
}

BOTH_TEST(panic_b92_runtime_errors) {
  int n = 7;
  bw_slice s = {0};
  bw_chan *none = NULL, *c = bw_chan_make(1, 1);
  check_error(index_5, &n, "runtime error: index out of range [5] with length 3");
  check_error(index_minus_1, &n, "runtime error: index out of range [-1]");
  CHECK_EQ(n, 7);
  check_error(slice_5, &s, "runtime error: slice bounds out of range [:5] with capacity 3");
  check_error(slice_2_1, &s, "runtime error: slice bounds out of range [2:1]");
  check_error(make_negative, &s, "runtime error: makeslice: len out of range");
  check_error(make_cap, &s, "runtime error: makeslice: cap out of range");
  CHECK(s.ptr == NULL);
  check_error(make_chan, &none, "makechan: size out of range");
  check_error(close_it, NULL, "close of nil channel");
  bw_chan_send(c, "x");
  bw_chan_close(c);
  check_error(send, c, "send on closed channel");
  check_error(try_send, c, "send on closed channel");
  check_error(close_it, c, "close of closed channel");
  CHECK_EQ(bw_chan_len(c), 1); // nobody holds its lock, and what was in it still is
  char value;
  CHECK(bw_chan_recv(c, &value));
  CHECK_EQ(value, 'x');
  CHECK(!bw_chan_recv(c, &value));
  bw_chan_release(c);
}

// A sender that was parked when the channel was closed.
static void send_and_tell(void *arg) {
  bw_chan **chans = arg;
  caught c;
  CHECK(panics(send, chans[0], &c));
  CHECK_STR(c.text, "send on closed channel");
  bw_chan_send(chans[1], "");
}
static int close_before_senders(void *arg) {
  (void)arg;
  bw_chan *chans[2] = {bw_chan_make(1, 0), bw_chan_make(1, 0)};
  for (int i = 0; i < 10; i++) CHECK_EQ(bw_go(send_and_tell, chans), 0);
  for (int i = 0; i < 100; i++) bw_gosched();
  bw_chan_close(chans[0]);
  for (int i = 0; i < 10; i++) bw_chan_recv(chans[1], NULL);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(chans[0]);
  bw_chan_release(chans[1]);
  return 0;
}
TEST(panic_b92_parked_sender_on_a_closed_channel) { test_run(close_before_senders, NULL, 4); }

// A panic that was kept from an inner scope's call, in a call of a scope without BW_ON_RECOVER.
static void only_keep(void *arg, bw_panicking *panicking) {
  (void)arg;
  kept = panicking;
}
static void try_kept(void *arg) {
  (void)arg;
  say("%s ", bw_recover(kept) ? "recovered" : "nothing");
}
static void keeps_in_inner_scope(void *arg) {
  BW_DEFER_SCOPE;
  BW_DEFER(try_kept, NULL);
  for (;;) {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER() return;
    BW_DEFER(only_keep, NULL);
    panic_now(arg);
  }
}
BOTH_TEST(panic_not_recovered_where_there_is_no_on_recover) {
  caught c;
  CHECK(panics(keeps_in_inner_scope, "kept", &c));
  CHECK_STR(c.text, "kept");
  CHECK_TRACE("nothing ");
}

// ---- copied arguments ---------------------------------------------------------------------------

// A copied argument that is the value of the panic that ends its call lives until that is over.
typedef struct {
  char text[40];
} words;

static void panic_with_copy(void *copy) { bw_panic_value(copy, NULL); }
static void reuse_memory(void *size) {
  for (int i = 0; i < 2000; i++) {
    char *p = bw_malloc((size_t)(intptr_t)size);
    if (p) memset(p, '#', (size_t)(intptr_t)size);
    bw_free(p);
  }
}
static void say_value(void *arg, bw_panicking *panicking) {
  (void)arg;
  for (int size = 48; size <= 112; size += 16) reuse_memory(NUMBER(size));
  const bw_panic_info *info = bw_recover(panicking);
  CHECK(info && info->value);
  say("%s ", ((words *)info->value)->text);
}
static void say_value_and_again(void *arg, bw_panicking *panicking) {
  (void)arg;
  const bw_panic_info *info = bw_recover(panicking);
  CHECK(info);
  say("again ");
  bw_panic_again(info);
}

static void same_scope(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(say_value, NULL);
  BW_DEFER_COPY(panic_with_copy, (words){"first"});
  BW_DEFER_COPY(panic_with_copy, (words){"second"}); // the later one counts
}
static void outer_scope(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(say_value, NULL);
  for (;;) {
    BW_DEFER_SCOPE;
    BW_DEFER(reuse_memory, NUMBER(80));
    BW_DEFER_COPY(panic_with_copy, (words){"inner"});
    BW_DEFER(panic_now, "message");
    break;
  }
}
static void repanicked(void) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(say_value, NULL);
  for (;;) {
    BW_DEFER_SCOPE;
    BW_ON_RECOVER() break;
    BW_DEFER(say_value_and_again, NULL);
    BW_DEFER_COPY(panic_with_copy, (words){"same"});
    break;
  }
}
BOTH_TEST(panic_value_is_a_copied_argument) {
  same_scope();
  CHECK_TRACE("first ");
  outer_scope();
  CHECK_TRACE("inner ");
  repanicked();
  CHECK_TRACE("again same ");
}

static void write_words(void *value, char *text, size_t room) {
  snprintf(text, room, "%s", ((words *)value)->text);
}
static void panic_written(void *copy) { bw_panic_value(copy, write_words); }
DEATH_TEST(panic_value_is_a_copied_argument_uncaught, 2, "panic: the copy") {
  BW_DEFER_SCOPE;
  BW_DEFER(reuse_memory, NUMBER(80));
  BW_DEFER_COPY(panic_written, (words){"the copy"});
}
