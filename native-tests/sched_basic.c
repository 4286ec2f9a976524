// Goroutines: start, yield, sleep, end; what the runtime says when it cannot go on.
#include "chan_util.h"

#include "base/atomics.h"
#include "port/port.h"

static int return_arg(void *arg) { return (int)(intptr_t)arg; }

TEST(sched_run_returns_what_main_returns) {
  for (int i = 0; i < 5; i++)
    CHECK_EQ(bw_run(return_arg, (void *)(intptr_t)(i * 10), NULL), i * 10);
}

TEST(sched_run_checks_its_options) {
  CHECK_EQ(bw_run(NULL, NULL, NULL), BW_EINVAL);
  CHECK_EQ(bw_run(return_arg, NULL, &(bw_options){.procs = -1}), BW_EINVAL);
  CHECK_EQ(bw_run(return_arg, NULL, &(bw_options){.procs = 1025}), BW_EINVAL);
  CHECK_EQ(bw_go((void (*)(void *))(uintptr_t)1, NULL), BW_ESTATE);
  CHECK_EQ(bw_procs(), 0);
  CHECK_EQ(bw_goid(), 0);
}

TEST(sched_outside_help_without_a_runtime) {
  bw_outside_enter();
  bw_outside_leave();
  bw_gosched();
  bw_debug_dump();
}

static int run_inside_run(void *arg) {
  (void)arg;
  return bw_run(return_arg, NULL, NULL);
}
TEST(sched_run_does_not_nest) { CHECK_EQ(bw_run(run_inside_run, NULL, NULL), BW_ESTATE); }

// Starting and stopping leaves nothing behind: memory in use is the same after 50 rounds. On wasm
// with one P, because the C library there frees the stacks of ended threads when it finds time for
// it.
static void park_for_ever(void *arg) { bw_chan_recv(arg, NULL); }

static int leave_parked(void *arg) {
  for (int i = 0; i < 20; i++) CHECK_EQ(bw_go(park_for_ever, arg), 0);
  settle();
  return 0;
}

TEST(sched_run_releases_everything) {
  bw_alloc_stats before, after;
  for (int i = 0; i < 50; i++) {
    bw_chan *c = bw_chan_make(0, 0);
    test_run(leave_parked, c, BW_WASM ? 1 : 2);
    bw_chan_release(c);
    if (i == 0) bw_alloc_stats_read(&before);
  }
  bw_alloc_stats_read(&after);
  CHECK_EQ(after.live_bytes, before.live_bytes);
}

// behaviour 48: a loop of yields lets others in
static atomic_bool flag;

static void set_flag(void *arg) {
  (void)arg;
  atomic_store(&flag, true);
}

static int yield_progress(void *arg) {
  (void)arg;
  atomic_store(&flag, false);
  CHECK_EQ(bw_go(set_flag, NULL), 0);
  while (!atomic_load(&flag)) bw_gosched();
  return 0;
}
TEST(sched_b48_yield_progress) { test_run(yield_progress, NULL, 1); }

// Two goroutines on one P take turns.
typedef struct {
  int *order, *at, number;
} turn;

static void take_turns(void *arg) {
  turn *t = arg;
  for (int i = 0; i < 100; i++) {
    t->order[(*t->at)++] = t->number;
    bw_gosched();
  }
}

static int turns(void *arg) {
  (void)arg;
  int order[200], at = 0;
  turn a = {order, &at, 1}, b = {order, &at, 2};
  CHECK_EQ(bw_go(take_turns, &a), 0);
  CHECK_EQ(bw_go(take_turns, &b), 0);
  while (bw_num_goroutine() > 1) bw_gosched();
  for (int i = 2; i < 200; i++) CHECK_EQ(order[i], order[i - 2]);
  CHECK_EQ(order[0] + order[1], 1 + 2);
  return 0;
}
TEST(sched_yield_takes_turns) { test_run(turns, NULL, 1); }

// behaviour 49: P goroutines run at the same time: they hand a counter round without yielding
enum { PARALLEL = 4, ROUNDS = 10 };
static atomic_uint baton;
static group parallel;

static void spin_for_baton(void *arg) {
  unsigned me = (unsigned)(uintptr_t)arg;
  for (unsigned i = 0; i < ROUNDS; i++) {
    while (atomic_load(&baton) != PARALLEL * i + me) {}
    atomic_fetch_add(&baton, 1);
  }
  group_done(&parallel);
}

static int parallelism(void *arg) {
  (void)arg;
  atomic_store(&baton, 0);
  group_init(&parallel, PARALLEL);
  for (uintptr_t i = 0; i < PARALLEL; i++) CHECK_EQ(bw_go(spin_for_baton, (void *)i), 0);
  group_wait(&parallel);
  CHECK_EQ(atomic_load(&baton), PARALLEL * ROUNDS);
  return 0;
}
THREADS_TEST(sched_b49_parallelism) { test_run(parallelism, NULL, PARALLEL); }

// behaviour 55
static int num_goroutine(void *arg) {
  (void)arg;
  CHECK_EQ(bw_num_goroutine(), 1);
  bw_chan *c = bw_chan_make(0, 0);
  for (int i = 0; i < 10; i++) CHECK_EQ(bw_go(park_for_ever, c), 0);
  CHECK_EQ(bw_num_goroutine(), 11);
  bw_chan_close(c);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(c);
  return 0;
}
TEST(sched_b55_num_goroutine) { test_run(num_goroutine, NULL, 0); }

// behaviour 59: more Ps than anybody needs
TEST(sched_b59_many_procs) {
  int procs = BW_WASM ? 6 : 64; // a worker each: more than the pool of the test program has
  test_run(num_goroutine, NULL, procs);
}

// behaviour 61
static int go_nil(void *arg) {
  (void)arg;
  return bw_go(NULL, NULL);
}
DEATH_TEST(sched_b61_go_nil, 2, "fatal error: go of nil func value") { test_run(go_nil, NULL, 1); }

// behaviour 62: deadlock, with one and with several Ps, and a dump that says who waits for what
static int deadlock(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  CHECK_EQ(bw_go_with(&(bw_go_options){.name = "sleeper"}, park_for_ever, c), 0);
  bw_chan_recv(bw_chan_make(0, 0), NULL);
  return 0;
}
DEATH_TEST(sched_b62_deadlock, 2, "fatal error: all goroutines are asleep - deadlock!") {
  test_run(deadlock, NULL, 1);
}
DEATH_TEST(sched_b62_deadlock_on_four_procs, 2, "all goroutines are asleep - deadlock!") {
  test_run(deadlock, NULL, 4);
}
DEATH_TEST(sched_b62_deadlock_dumps_main, 2, "goroutine 1 [chan receive]:\n  main fn 0x") {
  test_run(deadlock, NULL, 1);
}
DEATH_TEST(sched_b62_deadlock_dumps_all, 2, "goroutine 2 [chan receive]:\n  sleeper fn 0x") {
  test_run(deadlock, NULL, 1);
}

// A deadlock with outside help is none: a plain thread sends in the end.
static atomic_bool let_go;

static void helper(void *arg) {
  while (!atomic_load(&let_go)) bw__port_thread_yield();
  bw_chan_send(arg, &(int){42});
  bw_outside_leave();
}

static int outside_help(void *arg) {
  bw_chan *c = arg;
  int v;
  CHECK(bw_chan_recv(c, &v));
  CHECK_EQ(v, 42);
  return 0;
}

static int all_asleep_then_helped(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  bw__port_thread t;
  bw_outside_enter();
  CHECK_EQ(bw__port_thread_start(&t, helper, c), 0);
  bw_sleep(5 * BW_MILLISECOND); // all asleep, with a timer
  atomic_store(&let_go, true);
  int code = outside_help(c);
  bw__port_thread_join(&t);
  bw_chan_release(c);
  return code;
}
THREADS_TEST(sched_outside_help_is_no_deadlock) { test_run(all_asleep_then_helped, NULL, 2); }

// When the last outsider leaves without helping, it is a deadlock after all.
static void useless(void *arg) {
  (void)arg;
  while (!atomic_load(&let_go)) bw__port_thread_yield();
  bw_outside_leave();
}

static int helper_gives_up(void *arg) {
  static bw__port_thread t;
  bw_outside_enter();
  CHECK_EQ(bw__port_thread_start(&t, useless, NULL), 0);
  atomic_store(&let_go, true);
  bw_chan_recv(arg, NULL);
  return 0;
}
THREADS_DEATH_TEST(sched_deadlock_after_help_has_left, 2, "all goroutines are asleep - deadlock!") {
  test_run(helper_gives_up, bw_chan_make(0, 0), 2);
}

// behaviour 69: main is goroutine 1; an uncaught panic names its goroutine
static int panics(void *arg) {
  (void)arg;
  CHECK_EQ(bw_goid(), 1);
  bw_panic("the answer is %d", 42);
}
DEATH_TEST(sched_b69_panic, 2,
           "panic: the answer is 42\n\ngoroutine 1 [running]:\n  panic in panics at ") {
  test_run(panics, NULL, 1);
}

// behaviour 73: panics in several goroutines at once: one is printed, status 2
static void panic_now(void *arg) {
  (void)arg;
  bw_panic("race");
}

static int panic_race(void *arg) {
  (void)arg;
  for (int i = 0; i < 20; i++) bw_go(panic_now, NULL);
  bw_chan_recv(bw_chan_make(0, 0), NULL);
  return 0;
}
DEATH_TEST(sched_b73_panic_race, 2, "panic: race") { test_run(panic_race, NULL, 4); }
