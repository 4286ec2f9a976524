// Deferred calls without a panic: order, arguments, forms, memory. Behaviours 74, 75, 79, 80, 86 to
// 88 and 90 of docs/behaviours.md as far as they need none.
#include "panic_util.h"

// behaviour 74: last in, first out; arguments are evaluated at the defer statement.
static void ten_in_a_loop(void) {
  BW_DEFER_SCOPE;
  for (int i = 0; i < 10; i++) BW_DEFER(say_number, NUMBER(i));
}
BOTH_TEST(defer_b74_loop_backwards) {
  ten_in_a_loop();
  CHECK_TRACE("9 8 7 6 5 4 3 2 1 0 ");
}

static void say_copy(void *n) { say("%d ", *(int *)n); }

static void evaluated_now(void) {
  int i = 1;
  BW_DEFER_SCOPE;
  BW_DEFER(say_number, NUMBER(i));
  BW_DEFER_COPY(say_copy, i);
  BW_DEFER_COPY(say_copy, i * 10);
  void (*fn)(void *) = say_word;
  const char *word = "before";
  BW_DEFER(fn, (void *)word);
  i = 2;
  fn = say_number;
  word = "after";
  CHECK(fn && word && i == 2);
}
BOTH_TEST(defer_b74_arguments_are_evaluated_at_the_defer) {
  evaluated_now();
  CHECK_TRACE("before 10 1 1 ");
}

// Each way out of a block.
static int by_return(int which) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "outer");
  if (which == 0) return 0;
  for (int i = 0; i < 3; i++) {
    BW_DEFER_SCOPE;
    BW_DEFER(say_word, "inner");
    if (which == 1) break;
    if (which == 2) continue;
    if (which == 3) return 3;
    if (which == 4) goto out;
  }
  say("behind ");
  return which;
out:
  say("out ");
  return which;
}
BOTH_TEST(defer_every_way_out_of_a_scope) {
  for (int i = 0; i < 6; i++) CHECK_EQ(by_return(i), i);
  CHECK_TRACE("outer inner behind outer inner inner inner behind outer inner outer inner out outer "
              "inner inner inner behind outer ");
}

// behaviour 86: only those reached run.
static void conditional(unsigned reached) {
  BW_DEFER_SCOPE;
  if (reached & 1) BW_DEFER(say_word, "a");
  if (reached & 2) BW_DEFER(say_word, "b");
  if (reached & 4) {
    const char *word = "c";
    BW_DEFER(say_word, (void *)word);
  }
  if (reached & 8) BW_DEFER(say_word, "d");
}
BOTH_TEST(defer_b86_conditional) {
  for (unsigned i = 0; i < 16; i++) {
    char want[16] = "";
    size_t n = 0;
    for (int bit = 3; bit >= 0; bit--) {
      if (!(i >> bit & 1)) continue;
      want[n++] = "abcd"[bit];
      want[n++] = ' ';
    }
    conditional(i);
    CHECK_TRACE(want);
  }
}

// More than eight, in text and in loops, and back again: the order is always that of the calls.
static void mixed(int n) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_number, NUMBER(100));
  for (int i = 0; i < n; i++) BW_DEFER(say_number, NUMBER(i));
  BW_DEFER(say_number, NUMBER(101));
  BW_DEFER_COPY(say_copy, n);
  BW_DEFER(say_number, NUMBER(102));
}
static void eleven(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_number, NUMBER(1));
  BW_DEFER(say_number, NUMBER(2));
  BW_DEFER(say_number, NUMBER(3));
  BW_DEFER(say_number, NUMBER(4));
  BW_DEFER(say_number, NUMBER(5));
  BW_DEFER(say_number, NUMBER(6));
  BW_DEFER(say_number, NUMBER(7));
  BW_DEFER(say_number, NUMBER(8));
  BW_DEFER(say_number, NUMBER(9));
  BW_DEFER(say_number, NUMBER(10));
  BW_DEFER(say_number, NUMBER(11));
}
static void backwards(int n) {
  BW_DEFER_SCOPE;
again:
  if (n > 1) BW_DEFER(say_number, NUMBER(n * 10));
  BW_DEFER(say_number, NUMBER(n));
  if (--n > 0) goto again;
}
BOTH_TEST(defer_b87_loops_and_straight_lines_mixed) {
  mixed(0);
  CHECK_TRACE("102 0 101 100 ");
  mixed(3);
  CHECK_TRACE("102 3 101 2 1 0 100 ");
  eleven();
  CHECK_TRACE("11 10 9 8 7 6 5 4 3 2 1 ");
  backwards(3);
  CHECK_TRACE("1 2 20 3 30 ");
}

// behaviour 80, without a panic: the deferred call sets the result.
static void set_to_7(void *result) { *(int *)result = 7; }
static int result_set(void) {
  int result = 1;
  BW_DEFER_SCOPE;
  BW_DEFER(set_to_7, &result);
  result = 2;
  BW_DEFER_RETURN(result);
}
BOTH_TEST(defer_b80_sets_the_result_of_a_return) { CHECK_EQ(result_set(), 7); }

// behaviour 90: large arguments are evaluated once and copied.
typedef struct {
  int64_t numbers[64];
} large;

static int evaluations;
static large make_large(int64_t first) {
  large l;
  for (int i = 0; i < 64; i++) l.numbers[i] = first + i;
  evaluations++;
  return l;
}
static void sum_large(void *arg) {
  const large *l = arg;
  int64_t sum = 0;
  CHECK_EQ((uintptr_t)arg % 16, 0);
  for (int i = 0; i < 64; i++) sum += l->numbers[i];
  say("%lld ", (long long)sum);
}
static void defer_large(void) {
  large l = make_large(0);
  BW_DEFER_SCOPE;
  BW_DEFER_COPY(sum_large, l);
  memset(&l, 0, sizeof l);
  BW_DEFER_COPY(sum_large, make_large(100));
  BW_DEFER_COPY(sum_large, l);
}
BOTH_TEST(defer_b90_large_arguments) {
  evaluations = 0;
  defer_large();
  CHECK_EQ(evaluations, 2);
  CHECK_TRACE("0 8416 2016 ");
}

// ---- forms --------------------------------------------------------------------------------------

static bw_defer_view innermost(void) {
  bw_defer_view v = {0};
  CHECK(bw_defer_look(&v, 1) >= 1);
  return v;
}

static void nothing(void *arg) { (void)arg; }

#ifdef __OPTIMIZE__
enum { OPTIMISED = 1 };
#else
enum { OPTIMISED = 0 };
#endif

// Records in the frame that stand for the bits, where the build is not optimised.
static void check_form(unsigned bits, unsigned stack, unsigned heap) {
  bw_defer_view v = innermost();
  CHECK_EQ(v.form, OPTIMISED ? BW_DEFER_OPEN : BW_DEFER_STACK);
  CHECK_EQ(v.bits, OPTIMISED ? bits : 0);
  CHECK_EQ(v.stack_records, OPTIMISED ? 0 : stack);
  CHECK_EQ(v.heap_records, heap);
}

BOTH_TEST(defer_forms) {
  {
    BW_DEFER_SCOPE;
    bw_defer_view v;
    CHECK_EQ(bw_defer_look(&v, 1), 0);
    BW_DEFER(nothing, NULL);
    check_form(1, 1, 0);
    if (trace.len) BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL);
    check_form(5, 2, 0);
    for (int i = 0; i < 3; i++) BW_DEFER(nothing, NULL);
    check_form(13, 3, 2);
    BW_DEFER_COPY(nothing, (int){1});
    check_form(13, 3, 3);
  }
  { // too many defers for Go, or too many with so many returns
    BW_DEFER_SCOPE_FOR(9, 1);
    BW_DEFER(nothing, NULL);
    CHECK_EQ(innermost().form, BW_DEFER_STACK);
    CHECK_EQ(innermost().stack_records, 1);
    {
      BW_DEFER_SCOPE_FOR(4, 4);
      BW_DEFER(nothing, NULL);
      BW_DEFER(nothing, NULL);
      bw_defer_view views[2];
      CHECK_EQ(bw_defer_look(views, 2), 2);
      CHECK_EQ(views[0].form, BW_DEFER_STACK);
      CHECK_EQ(views[0].stack_records, 2);
      CHECK_EQ(views[1].stack_records, 1);
    }
    CHECK_EQ(bw_defer_look(NULL, 0), 1);
  }
  {
    BW_DEFER_SCOPE_FOR(5, 3);
    BW_DEFER(nothing, NULL);
    check_form(1, 1, 0);
    BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL); // one more than was told
    check_form(31, 5, 1);
  }
}

// Places are counted through the text: a scope inside takes up one, and one for each of its calls.
BOTH_TEST(defer_forms_of_scopes_in_scopes) {
  BW_DEFER_SCOPE;
  BW_DEFER(nothing, NULL);
  {
    BW_DEFER_SCOPE;
    BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL);
    check_form(3, 2, 0); // from 0 again
  }
  BW_DEFER(nothing, NULL);
  check_form(0x11, 2, 0);
  if (trace.len) { // is not come to, and takes up places all the same
    BW_DEFER_SCOPE;
    BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL);
    BW_DEFER(nothing, NULL);
  }
  BW_DEFER(nothing, NULL); // place 10 is place 7
  check_form(0x91, 3, 0);
  BW_DEFER(nothing, NULL); // and so is 11, which is in use
  check_form(0x91, 3, 1);
}

// Go's form for a loop: records in the frame where they are enough, before and behind the loop.
static void loop_form(int n) {
  BW_DEFER_SCOPE_LOOP(3);
  BW_DEFER(say_number, NUMBER(100));
  for (int i = 0; i < n; i++) BW_DEFER(say_number, NUMBER(i));
  BW_DEFER_COPY(say_copy, n);
  BW_DEFER(say_number, NUMBER(101));
  bw_defer_view v = innermost();
  CHECK_EQ(v.form, BW_DEFER_STACK);
  CHECK_EQ(v.stack_records, n ? 3 : 2);
  CHECK_EQ(v.heap_records, n ? n : 1);
}
BOTH_TEST(defer_form_of_a_loop) {
  loop_form(0);
  CHECK_TRACE("101 0 100 ");
  loop_form(4);
  CHECK_TRACE("101 4 3 2 1 0 100 ");
}

// An open-coded scope has no places behind a record; records in the frame go on behind one.
BOTH_TEST(defer_forms_behind_a_record) {
  BW_DEFER_SCOPE;
  BW_DEFER(nothing, NULL);
  BW_DEFER_COPY(nothing, (int){1});
  BW_DEFER(nothing, NULL);
  check_form(1, 2, OPTIMISED ? 2 : 1);
}

// Bits go as calls are made: the call sees those that are still pending.
static void look_at_bits(void *want) { check_form((unsigned)(uintptr_t)want, 0, 0); }
static void look_while_running(void) {
  BW_DEFER_SCOPE;
  BW_DEFER(look_at_bits, NUMBER(0));
  if (!OPTIMISED) return;
  BW_DEFER(look_at_bits, NUMBER(1));
  BW_DEFER(look_at_bits, NUMBER(3));
}
BOTH_TEST(defer_bits_of_a_scope_that_ends) { look_while_running(); }

// ---- memory -------------------------------------------------------------------------------------

static uint64_t bytes_in_use(void) {
  bw_alloc_stats stats;
  bw_alloc_stats_read(&stats);
  return stats.live_bytes;
}

static void many_records(void *arg) {
  BW_DEFER_SCOPE;
  for (int i = 0; i < 1000; i++) BW_DEFER(nothing, NULL);
  for (int i = 0; i < 100; i++) BW_DEFER_COPY(nothing, make_large(i));
  if (arg) bw_panic("%s", (const char *)arg);
}

static void close_chan(void *c) { bw_chan_close(c); }

static void ended_by_goexit(void *done) {
  BW_DEFER_SCOPE;
  BW_DEFER(close_chan, done);
  many_records(NULL);
  {
    BW_DEFER_SCOPE;
    for (int i = 0; i < 100; i++) BW_DEFER_COPY(nothing, make_large(i));
    bw_goexit();
  }
}

static void use_records(void) {
  caught c;
  many_records(NULL);
  CHECK(panics(many_records, "oh", &c));
  bw_chan *done = bw_chan_make(0, 0);
  CHECK_EQ(bw_go(ended_by_goexit, done), 0);
  bw_chan_recv(done, NULL);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(done);
}

// A copy that is the argument of a call which panics, or ends the goroutine.
static void panic_with(void *arg) { bw_panic("%lld", (long long)((large *)arg)->numbers[0]); }
static void panic_in_copies(void *arg) {
  (void)arg;
  BW_DEFER_SCOPE;
  for (int i = 0; i < 10; i++) BW_DEFER_COPY(panic_with, make_large(i));
}

// The same, in a goroutine that ends by Goexit: before its calls, in one, and in one of a panic's.
static void exit_in_copy(void *arg) {
  (void)arg;
  bw_goexit();
}
static void exit_among_copies(void *done) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(close_chan, done);
  caught c;
  BW_DEFER(catch_it, &c);
  for (int i = 0; i < 3; i++) {
    BW_DEFER_COPY(panic_with, make_large(i));
    BW_DEFER_COPY(exit_in_copy, make_large(i));
    BW_DEFER_COPY(panic_with, make_large(i));
  }
}
static void goexit_among_copies(void) {
  bw_chan *done = bw_chan_make(0, 0);
  CHECK_EQ(bw_go(exit_among_copies, done), 0);
  bw_chan_recv(done, NULL);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(done);
}

static int memory_returns(void *arg) {
  (void)arg;
  caught c;
  use_records(); // makes a second goroutine's stack
  uint64_t before = bytes_in_use();
  for (int i = 0; i < 10; i++) {
    use_records();
    goexit_among_copies();
    CHECK(panics(panic_in_copies, NULL, &c));
    CHECK_STR(c.text, "0");
  }
  CHECK_EQ(bytes_in_use(), before);
  return 0;
}
TEST(defer_records_are_given_back) { test_run(memory_returns, NULL, 1); }
