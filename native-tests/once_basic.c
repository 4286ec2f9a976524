// Once, and functions that are called once.
#include "chan_util.h"
#include "panic_util.h"

static void count_up(void *n) { ++*(int *)n; }

// ---- once ---------------------------------------------------------------------------------------

typedef struct {
  bw_once once;
  int n;
  bw_waitgroup wg;
} shared_once;

static void slow_count(void *arg) {
  shared_once *s = arg;
  for (int i = 0; i < 20; i++) bw_gosched();
  s->n++;
}

static void do_it(void *arg) {
  shared_once *s = arg;
  bw_once_do(&s->once, slow_count, s);
  CHECK_EQ(s->n, 1); // not before it is over
}

static int one_of_ten(void *arg) {
  (void)arg;
  shared_once s = {0};
  for (int i = 0; i < 10; i++) CHECK_EQ(bw_waitgroup_go(&s.wg, do_it, &s), 0);
  bw_waitgroup_wait(&s.wg);
  CHECK_EQ(s.n, 1);
  bw_once_do(&s.once, count_up, &s.n); // of another function
  CHECK_EQ(s.n, 1);
  return 0;
}
TEST(once_b117_one_call_of_ten) { test_run(one_of_ten, NULL, 0); }
TEST(once_b117_one_call_of_ten_on_one_p) { test_run(one_of_ten, NULL, 1); }

static void fails(void *unused) {
  (void)unused;
  bw_panic("failed");
}
static void do_and_fail(void *once) { bw_once_do(once, fails, NULL); }

BOTH_TEST(once_b117_a_panic_is_an_end) {
  bw_once once = {0};
  caught c;
  int n = 0;
  CHECK(panics(do_and_fail, &once, &c));
  CHECK_STR(c.text, "failed");
  bw_once_do(&once, count_up, &n);
  CHECK_EQ(n, 0);
}

static void ends(void *unused) {
  (void)unused;
  bw_goexit();
}
static void do_and_end(void *once) { bw_once_do(once, ends, NULL); }

static int goexit_is_an_end(void *arg) {
  (void)arg;
  bw_once once = {0};
  bw_waitgroup wg = {0};
  int n = 0;
  CHECK_EQ(bw_waitgroup_go(&wg, do_and_end, &once), 0);
  bw_waitgroup_wait(&wg);
  bw_once_do(&once, count_up, &n);
  CHECK_EQ(n, 0);
  return 0;
}
TEST(once_b117_a_goexit_is_an_end) { test_run(goexit_is_an_end, NULL, 1); }

static void do_again(void *once) { bw_once_do(once, do_again, once); }
static int within_itself(void *arg) {
  (void)arg;
  bw_once once = {0};
  bw_once_do(&once, do_again, &once);
  return 0;
}
DEATH_TEST(once_within_itself_is_a_deadlock, 2, "all goroutines are asleep - deadlock!") {
  test_run(within_itself, NULL, 1);
}

// ---- functions ----------------------------------------------------------------------------------

typedef struct {
  int x, y;
} pair;

static void *make_pair(void *calls) {
  static pair p;
  p = (pair){3, ++*(int *)calls};
  return &p;
}

BOTH_TEST(once_b118_func_and_value) {
  int calls = 0, made = 0;
  bw_once_func f = BW_ONCE_FUNC(count_up, &calls);
  bw_once_value v = BW_ONCE_VALUE(make_pair, &made);
  for (int i = 0; i < 3; i++) {
    bw_once_func_call(&f);
    const pair *p = bw_once_value_get(&v);
    CHECK(p->x == 3 && p->y == 1);
  }
  CHECK_EQ(calls, 1);
  CHECK_EQ(made, 1);
}

// By the count of the whole process, in which a thread may be starting.
BOTH_TEST(once_b118_later_calls_allocate_nothing) {
  int calls = 0, made = 0;
  bw_once_func f = BW_ONCE_FUNC(count_up, &calls);
  bw_once_value v = BW_ONCE_VALUE(make_pair, &made);
  bw_alloc_stats before, after;
  bw_once_func_call(&f);
  bw_once_value_get(&v);
  bw_alloc_stats_read(&before);
  for (int i = 0; i < 1000; i++) {
    bw_once_func_call(&f);
    bw_once_value_get(&v);
  }
  bw_alloc_stats_read(&after);
  CHECK(after.mallocs - before.mallocs < 1000);
}

static int failures;
static char the_value[] = "value";

static void fail_with_message(void *n) {
  failures++;
  bw_panic("number %d", *(int *)n);
}
static void fail_with_value(void *unused) {
  (void)unused;
  failures++;
  bw_panic_value(the_value, NULL);
}
static void fail_at_run_time(void *unused) {
  (void)unused;
  failures++;
  bw_slice s = {0};
  (void)*BW_AT(int, s, 3);
}
static void *fail_to_make(void *n) {
  fail_with_message(n);
  return NULL;
}

static void call_func(void *f) { bw_once_func_call(f); }
static void get_value(void *v) { bw_once_value_get(v); }

static void check_func(void (*fn)(void *), void *arg, const char *text, void *value, bool runtime) {
  bw_once_func f = BW_ONCE_FUNC(fn, arg);
  caught c;
  failures = 0;
  for (int i = 0; i < 3; i++) {
    CHECK(panics(call_func, &f, &c));
    if (text) CHECK_STR(c.text, text);
    CHECK(c.value == value);
    CHECK_EQ(c.runtime_error, runtime);
  }
  CHECK_EQ(failures, 1);
}

BOTH_TEST(once_b118_a_panic_is_repeated) {
  int n = 7;
  caught c;
  check_func(fail_with_message, &n, "number 7", NULL, false);
  check_func(fail_with_value, NULL, NULL, the_value, false);
  check_func(fail_at_run_time, NULL, "runtime error: index out of range [3] with length 0", NULL,
             true);
  bw_once_value v = BW_ONCE_VALUE(fail_to_make, &n);
  failures = 0;
  for (int i = 0; i < 3; i++) {
    CHECK(panics(get_value, &v, &c));
    CHECK_STR(c.text, "number 7");
  }
  CHECK_EQ(failures, 1);
}

static void recovers_inside(void *arg) {
  caught c;
  CHECK(panics(fail_with_message, arg, &c));
}

BOTH_TEST(once_b118_a_panic_of_its_own_is_none) {
  int n = 1;
  bw_once_func f = BW_ONCE_FUNC(recovers_inside, &n);
  failures = 0;
  bw_once_func_call(&f);
  bw_once_func_call(&f);
  CHECK_EQ(failures, 1);
}

static void end_here(void *calls) {
  ++*(int *)calls;
  bw_goexit();
}

static int goexit_in_func(void *arg) {
  (void)arg;
  int calls = 0;
  bw_once_func f = BW_ONCE_FUNC(end_here, &calls);
  bw_waitgroup wg = {0};
  caught c;
  CHECK_EQ(bw_waitgroup_go(&wg, call_func, &f), 0);
  bw_waitgroup_wait(&wg);
  CHECK(panics(call_func, &f, &c));
  CHECK_STR(c.text, "sync: function of a bw_once_func has ended its goroutine");
  CHECK_EQ(calls, 1);
  return 0;
}
TEST(once_b118_goexit_does_not_lead_to_a_second_call) { test_run(goexit_in_func, NULL, 1); }
