// The scheduler while goroutines wait for file descriptors: somebody always polls, wakes reach an M
// that sleeps in the poller, and a deadlock is one only when nobody waits any more.
#include "io_util.h"

#if !BW_WASM

// ---- the scheduler meanwhile --------------------------------------------------------------------

static void write_later(void *arg) {
  int64_t until = bw_now() + 20 * BW_MILLISECOND;
  while (bw_now() < until) bw_sleep(BW_MILLISECOND);
  CHECK_EQ(bw_write(*(int *)arg, "x", 1), 1);
}

// Every P is busy for good with goroutines that yield: somebody polls all the same.
typedef struct {
  io_call *call;
  group *all;
} yielder;

static void yield_until_done(void *arg) {
  yielder *y = arg;
  while (!atomic_load(&y->call->done)) bw_gosched();
  group_done(y->all);
}

static int all_busy(void *arg) {
  enum { N = 8 };
  (void)arg;
  int fds[2];
  group g;
  bw__port_thread t;
  pair_open(fds, SOCKETS);
  io_call call = {.fd = fds[0], .deadline = BW_NO_DEADLINE};
  yielder y = {&call, &g};
  CHECK_EQ(bw_go(io_call_read, &call), 0);
  group_init(&g, N);
  for (int i = 0; i < N; i++) CHECK_EQ(bw_go(yield_until_done, &y), 0);
  CHECK_EQ(bw__port_thread_start(&t, write_later, &fds[1]), 0);
  group_wait(&g);
  CHECK_EQ(call.byte, 'x');
  bw__port_thread_join(&t);
  pair_close(fds);
  return 0;
}
TEST(io_while_all_are_busy) { test_run(all_busy, NULL, 1); }
TEST(io_while_all_are_busy_on_many_procs) { test_run(all_busy, NULL, 2); }

// The only P's thread goes into a blocking call that ends when a goroutine has read something.
static void block_until_done(void *arg) {
  io_call *call = arg;
  while (!atomic_load(&call->done)) bw_sleep(100 * BW_MICROSECOND);
}

static int during_blocking_calls(void *arg) {
  (void)arg;
  for (int i = 0; i < 10; i++) {
    int fds[2];
    bw__port_thread t;
    pair_open(fds, SOCKETS);
    io_call call = {.fd = fds[0], .deadline = BW_NO_DEADLINE};
    CHECK_EQ(bw_go(io_call_read, &call), 0);
    if (i % 2) settle();
    CHECK_EQ(bw__port_thread_start(&t, write_later, &fds[1]), 0);
    bw_blocking(block_until_done, &call);
    CHECK_EQ(call.byte, 'x');
    bw__port_thread_join(&t);
    pair_close(fds);
  }
  return 0;
}
TEST(io_during_blocking_calls) { test_run(during_blocking_calls, NULL, 1); }
TEST(io_during_blocking_calls_on_many_procs) { test_run(during_blocking_calls, NULL, 2); }

// A goroutine that is made runnable by a plain thread is run although the only M sleeps in the
// poller.
static void send_later(void *arg) {
  int64_t until = bw_now() + 5 * BW_MILLISECOND;
  while (bw_now() < until) bw_sleep(BW_MILLISECOND);
  bw_chan_send(arg, NULL);
}

static int poller_is_broken_off(void *arg) {
  (void)arg;
  int fds[2];
  bw_chan *c = bw_chan_make(0, 0);
  pair_open(fds, SOCKETS);
  io_call call = {.fd = fds[0], .deadline = BW_NO_DEADLINE};
  CHECK_EQ(bw_go(io_call_read, &call), 0);
  for (int i = 0; i < 10; i++) {
    bw__port_thread t;
    CHECK_EQ(bw__port_thread_start(&t, send_later, c), 0);
    CHECK(bw_chan_recv(c, NULL));
    bw__port_thread_join(&t);
    int64_t until = bw_now() + BW_MILLISECOND;
    bw_sleep(BW_MILLISECOND); // and a timer is due although it is asleep there
    CHECK(bw_now() >= until);
  }
  CHECK_EQ(bw_close_fd(fds[0]), 0);
  io_wait_done(&call);
  CHECK_EQ(call.result, BW_ECLOSED);
  CHECK_EQ(bw_close_fd(fds[1]), 0);
  bw_chan_release(c);
  return 0;
}
TEST(io_poller_is_broken_off) { test_run(poller_is_broken_off, NULL, 1); }
TEST(io_poller_is_broken_off_on_many_procs) { test_run(poller_is_broken_off, NULL, 4); }

// ---- deadlock -----------------------------------------------------------------------------------

// Prints what must stand right before the fatal error: it was not reported while this one waited.
static void say(const char *text) { CHECK(bw__port_write(2, text, strlen(text))); }

static void read_then_say(void *arg) {
  char c;
  CHECK_EQ(bw_read(*(int *)arg, &c, 1), 1);
  say("the last one has read\n");
}

static int last_reader(void *arg) {
  (void)arg;
  static int fds[2];
  bw__port_thread t;
  pair_open(fds, SOCKETS);
  CHECK_EQ(bw_go(read_then_say, &fds[0]), 0);
  CHECK_EQ(bw__port_thread_start(&t, write_later, &fds[1]), 0);
  bw_chan_recv(bw_chan_make(0, 0), NULL);
  return 0;
}
DEATH_TEST(io_deadlock_after_the_last_reader, 2,
           "the last one has read\nfatal error: all goroutines are asleep - deadlock!") {
  test_run(last_reader, NULL, 1);
}
DEATH_TEST(io_deadlock_after_the_last_reader_on_many_procs, 2,
           "the last one has read\nfatal error: all goroutines are asleep - deadlock!") {
  test_run(last_reader, NULL, 4);
}

static void time_out_then_say(void *arg) {
  char c;
  CHECK_EQ(bw_read_until(*(int *)arg, &c, 1, bw_now() + 20 * BW_MILLISECOND), BW_ETIMEDOUT);
  say("the last deadline has passed\n");
}

static int last_deadline(void *arg) {
  (void)arg;
  static int fds[2];
  pair_open(fds, SOCKETS);
  CHECK_EQ(bw_go(time_out_then_say, &fds[0]), 0);
  bw_chan_recv(bw_chan_make(0, 0), NULL);
  return 0;
}
DEATH_TEST(io_deadlock_after_the_last_deadline, 2,
           "the last deadline has passed\nfatal error: all goroutines are asleep - deadlock!") {
  test_run(last_deadline, NULL, 2);
}

// A plain thread that nobody counts on closes what the last one waits for.
static void close_later(void *arg) {
  int64_t until = bw_now() + 20 * BW_MILLISECOND;
  while (bw_now() < until) bw_sleep(BW_MILLISECOND);
  CHECK_EQ(bw_close_fd(*(int *)arg), 0);
}

static void be_closed_then_say(void *arg) {
  char c;
  CHECK_EQ(bw_read(*(int *)arg, &c, 1), BW_ECLOSED);
  say("the last one was closed\n");
}

static int last_closed(void *arg) {
  (void)arg;
  static int fds[2];
  bw__port_thread t;
  pair_open(fds, SOCKETS);
  CHECK_EQ(bw_go(be_closed_then_say, &fds[0]), 0);
  io_wait_parked(1);
  CHECK_EQ(bw__port_thread_start(&t, close_later, &fds[0]), 0);
  bw_chan_recv(bw_chan_make(0, 0), NULL);
  return 0;
}
DEATH_TEST(io_deadlock_after_the_last_close, 2,
           "the last one was closed\nfatal error: all goroutines are asleep - deadlock!") {
  test_run(last_closed, NULL, 2);
}

// ---- the dump -----------------------------------------------------------------------------------

static int dump(void *arg) {
  (void)arg;
  int fds[2];
  pair_open(fds, SOCKETS);
  io_call call = {.fd = fds[0], .deadline = BW_NO_DEADLINE};
  CHECK_EQ(bw_go(io_call_read, &call), 0);
  settle();
  bw_debug_dump();
  bw__port_exit(3);
}
DEATH_TEST(io_wait_in_the_dump, 3, " [IO wait]:") { test_run(dump, NULL, 1); }

#endif
