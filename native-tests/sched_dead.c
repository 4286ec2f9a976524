// Deadlocks in all their forms, what is none, and panics while others run.
#include "chan_util.h"

#include "base/atomics.h"
#include "lock/note.h"
#include "port/port.h"
#include "sched/sched.h"

static void park_for_ever(void *arg) { bw_chan_recv(arg, NULL); }

// ---- the list of goroutines ---------------------------------------------------------------------

// behaviour 55: the number is the number of those that a dump lists, parked, runnable and ended.
static void count_one(bw__g *g, void *count) {
  (void)g;
  ++*(int *)count;
}

static void check_number(int want) {
  int listed = 0;
  CHECK(bw__g_each(count_one, &listed));
  CHECK_EQ(listed, want);
  CHECK_EQ(bw_num_goroutine(), want);
}

static void nothing(void *arg) { (void)arg; }

static int number_is_listed(void *arg) {
  (void)arg;
  check_number(1);
  bw_chan *c = bw_chan_make(0, 0);
  for (int i = 0; i < 100; i++) CHECK_EQ(bw_go(park_for_ever, c), 0);
  check_number(101); // runnable, but for those that others have run already
  settle();
  check_number(101); // parked
  bw_chan_close(c);
  while (bw_num_goroutine() > 1) bw_gosched();
  check_number(1);
  for (int i = 0; i < 100; i++) CHECK_EQ(bw_go(nothing, NULL), 0); // from the free ones
  while (bw_num_goroutine() > 1) bw_gosched();
  check_number(1);
  bw_chan_release(c);
  return 0;
}
TEST(sched_b55_number_is_what_is_listed) { test_run(number_is_listed, NULL, 1); }
TEST(sched_b55_number_is_what_is_listed_on_four_procs) { test_run(number_is_listed, NULL, 4); }

static int dump_of_three(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  for (int i = 0; i < 2; i++) CHECK_EQ(bw_go(park_for_ever, c), 0);
  settle();
  bw_debug_dump();
  bw__port_exit(0);
}
DEATH_TEST(sched_b55_dump_says_how_many, 0, "3 goroutines, 1 procs (") {
  test_run(dump_of_three, NULL, 1);
}
// behaviour 69: the runtime's own threads are in no list
DEATH_TEST(sched_b69_no_helper_goroutines, 0, "3 goroutines, 4 procs (") {
  if (!bw__port_capabilities.threads) SKIP("one P only");
  test_run(dump_of_three, NULL, 4);
}

// ---- deadlocks ----------------------------------------------------------------------------------

// behaviour 62: main waits for ever on no channel at all (Go: select {})
static int receive_nil(void *arg) {
  (void)arg;
  bw_chan_recv(NULL, NULL);
  return 0;
}
static int send_nil(void *arg) {
  (void)arg;
  bw_chan_send(NULL, NULL);
  return 0;
}
DEATH_TEST(sched_b62_nil_receive, 2, "all goroutines are asleep - deadlock!") {
  test_run(receive_nil, NULL, 1);
}
DEATH_TEST(sched_b62_nil_receive_on_two_procs, 2, "goroutine 1 [chan receive (nil chan)]:") {
  test_run(receive_nil, NULL, 2);
}
DEATH_TEST(sched_b62_nil_receive_on_six_procs, 2, "all goroutines are asleep - deadlock!") {
  test_run(receive_nil, NULL, 6);
}
DEATH_TEST(sched_b62_nil_send, 2, "goroutine 1 [chan send (nil chan)]:") {
  test_run(send_nil, NULL, 4);
}

// behaviour 62: not at once, but when the last of those ends that kept it from being one: a
// sleeper, many that run on all Ps, a blocking call, Ps that went.
static void nap(void *arg) {
  (void)arg;
  bw_sleep(5 * BW_MILLISECOND);
}

static int after_sleepers(void *arg) {
  for (int i = 0; i < 10; i++) CHECK_EQ(bw_go(nap, NULL), 0);
  return receive_nil(arg);
}
DEATH_TEST(sched_b62_after_sleepers, 2, "all goroutines are asleep - deadlock!") {
  test_run(after_sleepers, NULL, 2);
}

static void work_and_wait(void *arg) {
  for (int i = 0; i < 20; i++) bw_gosched();
  bw_chan_recv(arg, NULL);
}

static int many_wait(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  for (int i = 0; i < 50; i++) CHECK_EQ(bw_go(work_and_wait, c), 0);
  bw_chan_recv(c, NULL);
  return 0;
}
DEATH_TEST(sched_b62_many_wait, 2, "all goroutines are asleep - deadlock!") {
  test_run(many_wait, NULL, 4);
}

static void call_for_a_while(void *arg) {
  (void)arg;
  bw__port_sleep_until(bw__port_now() + 20 * BW_MILLISECOND);
}

static void block_and_end(void *arg) { bw_blocking(call_for_a_while, arg); }

static int after_blocking(void *arg) {
  for (int i = 0; i < 3; i++) CHECK_EQ(bw_go(block_and_end, NULL), 0);
  return receive_nil(arg);
}
DEATH_TEST(sched_b62_after_blocking_calls, 2, "all goroutines are asleep - deadlock!") {
  test_run(after_blocking, NULL, 2);
}

static int after_gomaxprocs(void *arg) {
  for (int n = 4; n > 0; n--) {
    CHECK(bw_gomaxprocs(n) > 0);
    bw_gosched();
  }
  return many_wait(arg);
}
DEATH_TEST(sched_b62_after_gomaxprocs, 2, "all goroutines are asleep - deadlock!") {
  test_run(after_gomaxprocs, NULL, 2);
}

static void unlock_and_wait(void *arg) {
  CHECK_EQ(bw_lock_os_thread(), 0);
  bw_gosched();
  bw_unlock_os_thread();
  bw_chan_recv(arg, NULL);
}

static int after_unlocking(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(bw_go(unlock_and_wait, c), 0);
  bw_chan_recv(c, NULL);
  return 0;
}
DEATH_TEST(sched_b62_after_unlocking, 2, "all goroutines are asleep - deadlock!") {
  test_run(after_unlocking, NULL, 2);
}

// behaviour 158: with goroutines asleep it is none, on one P and on several, time and again.
static void nap_and_send(void *arg) {
  bw_sleep(BW_MILLISECOND);
  bw_chan_send(arg, NULL);
}

static int sleeper_helps(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  for (int i = 0; i < 20; i++) {
    CHECK_EQ(bw_go(nap_and_send, c), 0);
    CHECK(bw_chan_recv(c, NULL));
  }
  bw_chan_release(c);
  return 0;
}
TEST(sched_b158_sleeper_is_no_deadlock) { test_run(sleeper_helps, NULL, 1); }
TEST(sched_b158_sleeper_is_no_deadlock_on_four_procs) { test_run(sleeper_helps, NULL, 4); }

// The same with a goroutine in a blocking call.
static void block_and_send(void *arg) {
  bw_blocking(call_for_a_while, NULL);
  bw_chan_send(arg, NULL);
}

static int blocked_one_helps(void *arg) {
  (void)arg;
  bw_chan *c = bw_chan_make(0, 0);
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(bw_go(block_and_send, c), 0);
    CHECK(bw_chan_recv(c, NULL));
  }
  bw_chan_release(c);
  return 0;
}
TEST(sched_blocking_call_is_no_deadlock) { test_run(blocked_one_helps, NULL, 1); }
TEST(sched_blocking_call_is_no_deadlock_on_four_procs) { test_run(blocked_one_helps, NULL, 4); }

// ---- panics while others run --------------------------------------------------------------------

// behaviour 72: a panic ends the program whatever the others do: run without end, yield, sleep,
// print, sit in a blocking call, hold their threads, panic as well.
static atomic_int ready;

static void run_on(void *arg) {
  (void)arg;
  atomic_fetch_add(&ready, 1);
  for (;;) bw__cpu_relax();
}

static void yield_on(void *arg) {
  (void)arg;
  bw_lock_os_thread();
  atomic_fetch_add(&ready, 1);
  for (;;) bw_gosched();
}

static void sleep_on(void *arg) {
  (void)arg;
  atomic_fetch_add(&ready, 1);
  for (;;) bw_sleep(10 * BW_MICROSECOND);
}

static void block_call(void *arg) {
  (void)arg;
  bw__note never = {0};
  atomic_fetch_add(&ready, 1);
  bw__note_sleep(&never, -1);
}

static void block_on(void *arg) { bw_blocking(block_call, arg); }

static void print_on(void *arg) {
  (void)arg;
  atomic_fetch_add(&ready, 1);
  for (int i = 0;; i++) {
    if (i < 1000) bw__port_write(1, ".", 1);
    bw_gosched();
  }
}

static void panic_too(void *arg) {
  while (!bw_chan_recv(arg, NULL)) {}
  bw_panic("one of many");
}

static int panic_in_a_crowd(void *arg) {
  bool threads = bw__port_capabilities.threads;
  void (*const others[])(void *) = {yield_on, sleep_on, print_on, run_on, block_on};
  int n = threads ? 5 : 3; // on one thread the last two would leave it to nobody
  bw_chan *c = bw_chan_make(0, 3);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_go(others[i], NULL), 0);
  for (int i = 0; arg && i < 3; i++) {
    CHECK_EQ(bw_go(panic_too, c), 0);
    bw_chan_send(c, NULL);
  }
  while (atomic_load(&ready) < n) bw_gosched();
  bw_panic("one of many");
}
DEATH_TEST(sched_b72_panic_while_others_run, 2, "panic: one of many\n") {
  test_run(panic_in_a_crowd, NULL, 4);
}
DEATH_TEST(sched_b72_panics_while_others_run, 2, "panic: one of many\n") {
  test_run(panic_in_a_crowd, (void *)1, 4);
}

// behaviour 72: a plain thread panics at the same time.
static void thread_panics(void *arg) {
  atomic_fetch_add((atomic_int *)arg, 1);
  while (atomic_load((atomic_int *)arg) < 2) {}
  bw_panic("both");
}

static int thread_and_goroutine(void *arg) {
  static bw__port_thread t;
  bw_outside_enter();
  CHECK_EQ(bw__port_thread_start(&t, thread_panics, arg), 0);
  thread_panics(arg);
  return 0;
}
THREADS_DEATH_TEST(sched_b72_thread_and_goroutine_panic, 2, "panic: both\n\n") {
  static atomic_int both;
  test_run(thread_and_goroutine, &both, 2);
}

// behaviour 72: a deadlock report and a panic at once: a plain thread panics while all goroutines
// fall asleep. One of the two is said, and the program ends.
static void panic_later(void *arg) {
  (void)arg;
  bw_panic("too late");
}

static int panics_during_report(void *arg) {
  static bw__port_thread t[3];
  for (int i = 0; i < 3; i++) CHECK_EQ(bw__port_thread_start(&t[i], panic_later, NULL), 0);
  return receive_nil(arg);
}
THREADS_DEATH_TEST(sched_b72_panic_during_a_deadlock_report, 2, "") {
  test_run(panics_during_report, NULL, 2);
}
