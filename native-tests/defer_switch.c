// Deferred calls and panics while goroutines switch, move between threads and run in parallel; and
// plain threads, each with panics of its own.
#include "panic_util.h"

#include "port/port.h"

#include <stdatomic.h>

enum { GOROUTINES = 32, ROUNDS = 50 };

typedef struct {
  bw_chan *ping, *done;
  int number;
  int recovered;
} worker;

static void yield_a_bit(worker *w) {
  for (int i = w->number % 3; i >= 0; i--) bw_gosched();
  bw_chan_send(w->ping, &w->number);
}

// Between the panic and its recovery the goroutine switches, and may be on another thread then.
static void recover_late(void *arg, bw_panicking *panicking) {
  worker *w = arg;
  yield_a_bit(w);
  const bw_panic_info *info = bw_recover(panicking);
  CHECK(info && info->value == w);
  yield_a_bit(w);
  w->recovered++;
}

static void defer_busily(void *arg) { yield_a_bit(arg); }

static void panics_inside(void *arg) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(recover_late, arg);
  yield_a_bit(arg);
  bw_panic_value(arg, NULL);
}

static void one_round(worker *w) {
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() {
    yield_a_bit(w);
    return;
  }
  BW_DEFER(defer_busily, w);
  BW_DEFER(recover_late, w);
  for (int i = 0; i < 3; i++) BW_DEFER(defer_busily, w);
  BW_DEFER(panics_inside, w); // while the panic below runs it
  yield_a_bit(w);
  bw_panic_value(w, NULL);
}

static void work(void *arg) {
  worker *w = arg;
  for (int i = 0; i < ROUNDS; i++) one_round(w);
  CHECK_EQ(w->recovered, 2 * ROUNDS);
  bw_chan_send(w->done, NULL);
  if (w->number % 2) bw_goexit();
}

static void drain(void *ping) {
  while (bw_chan_recv(ping, NULL)) {}
}

static int in_parallel(void *arg) {
  (void)arg;
  static worker workers[GOROUTINES];
  bw_chan *ping = bw_chan_make(sizeof(int), 4), *done = bw_chan_make(0, 0);
  CHECK_EQ(bw_go(drain, ping), 0);
  for (int i = 0; i < GOROUTINES; i++) {
    workers[i] = (worker){ping, done, i, 0};
    CHECK_EQ(bw_go(work, &workers[i]), 0);
  }
  for (int i = 0; i < GOROUTINES; i++) bw_chan_recv(done, NULL);
  bw_chan_close(ping);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(ping);
  bw_chan_release(done);
  return 0;
}
TEST(defer_switches_between_panic_and_recover) { test_run(in_parallel, NULL, 1); }
TEST(defer_panics_in_parallel) { test_run(in_parallel, NULL, 4); }

// A parked goroutine with open scopes stays as it is while others defer and panic on its thread.
static void parked_in_a_scope(void *gate) {
  caught c;
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "parked");
  bw_defer_view v;
  CHECK_EQ(bw_defer_look(&v, 1), 1);
  bw_chan_recv(gate, NULL);
  CHECK_EQ(bw_defer_look(&v, 1), 1);
  CHECK(!panics(say_word, "called", &c));
}
static void panic_now(void *message) { bw_panic("%s", (const char *)message); }
static int others_meanwhile(void *arg) {
  (void)arg;
  caught c;
  bw_chan *gate = bw_chan_make(0, 0);
  CHECK_EQ(bw_go(parked_in_a_scope, gate), 0);
  for (int i = 0; i < 10; i++) bw_gosched();
  for (int i = 0; i < 10; i++) CHECK(panics(panic_now, "1", &c));
  bw_chan_send(gate, NULL);
  while (bw_num_goroutine() > 1) bw_gosched();
  bw_chan_release(gate);
  CHECK_TRACE("called parked ");
  return 0;
}
TEST(defer_scopes_of_a_parked_goroutine) { test_run(others_meanwhile, NULL, 1); }

// When the main goroutine returns, the others end where they are: their deferred calls do not run.
static void never_ends(void *gate) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "wrong");
  bw_chan_recv(gate, NULL);
}
static int main_returns(void *gate) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "main");
  CHECK_EQ(bw_go(never_ends, gate), 0);
  for (int i = 0; i < 10; i++) bw_gosched();
  return 0;
}
TEST(defer_not_run_when_main_returns) {
  bw_chan *gate = bw_chan_make(0, 0);
  test_run(main_returns, gate, 1);
  CHECK_TRACE("main ");
  bw_chan_release(gate);
}

// ---- plain threads ------------------------------------------------------------------------------

// What a thread has deferred around bw_run is there again behind it.
static int nothing(void *arg) {
  bw_defer_view v;
  CHECK_EQ(bw_defer_look(&v, 1), 0);
  (void)arg;
  return 0;
}
static void run_in_a_scope(void *arg) {
  BW_DEFER_SCOPE;
  BW_DEFER(say_word, "outside");
  test_run(nothing, NULL, 2);
  bw_panic("%s", (const char *)arg);
}
TEST(defer_around_bw_run) {
  caught c;
  CHECK(panics(run_in_a_scope, "behind", &c));
  CHECK_STR(c.text, "behind");
  CHECK_TRACE("outside ");
}

static void thread_body(void *arg) {
  atomic_int *sum = arg;
  for (int i = 0; i < 100; i++) {
    caught c;
    CHECK(panics(panic_now, "of a thread", &c));
    CHECK_STR(c.text, "of a thread");
    atomic_fetch_add(sum, 1);
  }
}
THREADS_TEST(defer_on_plain_threads) {
  static atomic_int sum;
  bw__port_thread threads[4];
  for (int i = 0; i < 4; i++) CHECK_EQ(bw__port_thread_start(&threads[i], thread_body, &sum), 0);
  for (int i = 0; i < 4; i++) bw__port_thread_join(&threads[i]);
  CHECK_EQ(sum, 400);
}
