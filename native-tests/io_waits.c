// Waiting for file descriptors, and the scheduler meanwhile: who is woken, by what, and when.
#include "io_util.h"

#if !BW_WASM

// ---- ping-pong ----------------------------------------------------------------------------------

typedef struct {
  int from, to, rounds;
  group *all;
} player;

static void play(void *arg) {
  player *p = arg;
  for (int i = 0; i < p->rounds; i++) {
    char c;
    CHECK_EQ(bw_read(p->from, &c, 1), 1);
    CHECK_EQ(c, (char)i);
    CHECK_EQ(bw_write(p->to, &c, 1), 1);
  }
  group_done(p->all);
}

static int ping_pong(void *arg) {
  (void)arg;
  for (pair_kind kind = 0; kind < KINDS; kind++) {
    int there[2], back[2], rounds = test_is_slow_build() ? 300 : 3000;
    group g;
    group_init(&g, 1);
    pair_open(there, kind);
    pair_open(back, kind);
    player p = {there[0], back[1], rounds, &g};
    CHECK_EQ(bw_go(play, &p), 0);
    for (int i = 0; i < rounds; i++) {
      char c = (char)i;
      CHECK_EQ(bw_write(there[1], &c, 1), 1);
      CHECK_EQ(bw_read(back[0], &c, 1), 1);
      CHECK_EQ(c, (char)i);
    }
    group_wait(&g);
    pair_close(there);
    pair_close(back);
  }
  return 0;
}
TEST(io_ping_pong) { test_run(ping_pong, NULL, 1); }
TEST(io_ping_pong_on_many_procs) { test_run(ping_pong, NULL, 4); }

// The other side is a plain thread.
static void play_on_thread(void *arg) { play(arg); }

static int ping_pong_with_thread(void *arg) {
  (void)arg;
  for (pair_kind kind = 0; kind < KINDS; kind++) {
    int there[2], back[2], rounds = 300;
    group g;
    group_init(&g, 1);
    pair_open(there, kind);
    pair_open(back, kind);
    player p = {there[0], back[1], rounds, &g};
    bw__port_thread t;
    bw_outside_enter();
    CHECK_EQ(bw__port_thread_start(&t, play_on_thread, &p), 0);
    for (int i = 0; i < rounds; i++) {
      char c = (char)i;
      CHECK_EQ(bw_write(there[1], &c, 1), 1);
      CHECK_EQ(bw_read(back[0], &c, 1), 1);
    }
    group_wait(&g);
    bw__port_thread_join(&t);
    bw_outside_leave();
    pair_close(there);
    pair_close(back);
  }
  return 0;
}
TEST(io_ping_pong_with_a_thread) { test_run(ping_pong_with_thread, NULL, 1); }
TEST(io_ping_pong_with_a_thread_on_many_procs) { test_run(ping_pong_with_thread, NULL, 4); }

// ---- deadlines ----------------------------------------------------------------------------------

static int deadline_passes(void *arg) {
  (void)arg;
  for (pair_kind kind = 0; kind < KINDS; kind++) {
    int fds[2];
    char c;
    pair_open(fds, kind);
    for (int ms = 0; ms < 10; ms++) {
      int64_t until = bw_now() + ms * BW_MILLISECOND;
      CHECK_EQ(bw_read_until(fds[0], &c, 1, until), BW_ETIMEDOUT);
      CHECK(bw_now() >= until);
    }
    int64_t until = bw_now() + 3 * BW_MILLISECOND;
    CHECK_EQ(bw_poll_fd(fds[0], BW_POLL_READ, until), BW_ETIMEDOUT);
    CHECK(bw_now() >= until);
    CHECK_EQ(bw_poll_fd(fds[0], BW_POLL_READ, INT64_MIN), BW_ETIMEDOUT);
    pair_close(fds);
  }
  return 0;
}
TEST(io_deadline_passes) { test_run(deadline_passes, NULL, 1); }
TEST(io_deadline_passes_on_many_procs) { test_run(deadline_passes, NULL, 4); }
TEST(io_deadline_passes_on_a_plain_thread) { CHECK_EQ(deadline_passes(NULL), 0); }

// Data before the deadline; and then a later deadline than the one that was never reached.
static int deadline_does_not_pass(void *arg) {
  (void)arg;
  int fds[2];
  pair_open(fds, SOCKETS);
  for (int i = 0; i < 5; i++) {
    io_call call = {.fd = fds[0], .deadline = bw_now() + 20 * BW_SECOND};
    CHECK_EQ(bw_go(io_call_read, &call), 0);
    bw_sleep(BW_MILLISECOND);
    CHECK_EQ(bw_write(fds[1], "x", 1), 1);
    io_wait_done(&call);
    CHECK_EQ(call.result, 1);
    CHECK_EQ(call.byte, 'x');
  }
  pair_close(fds);
  return 0;
}
TEST(io_deadline_does_not_pass) { test_run(deadline_does_not_pass, NULL, 1); }

// Each of many who wait for one descriptor has its own deadline, in any order.
static int many_deadlines(void *arg) {
  (void)arg;
  enum { N = 16 };
  int fds[2];
  io_call calls[N] = {0};
  pair_open(fds, SOCKETS);
  int64_t start = bw_now();
  for (int i = 0; i < N; i++) {
    int64_t until = i == 7 ? BW_NO_DEADLINE : start + (int64_t)(i * 5 % N + 1) * 2 * BW_MILLISECOND;
    calls[i] = (io_call){.fd = fds[0], .deadline = until};
    CHECK_EQ(bw_go(io_call_read, &calls[i]), 0);
  }
  for (int i = 0; i < N; i++) {
    if (i == 7) continue;
    io_wait_done(&calls[i]);
    CHECK_EQ(calls[i].result, BW_ETIMEDOUT);
    CHECK(bw_now() >= calls[i].deadline);
  }
  CHECK(!atomic_load(&calls[7].done));
  CHECK_EQ(bw_write(fds[1], "y", 1), 1);
  io_wait_done(&calls[7]);
  CHECK_EQ(calls[7].byte, 'y');
  pair_close(fds);
  return 0;
}
TEST(io_many_deadlines) { test_run(many_deadlines, NULL, 2); }

// ---- several who wait ---------------------------------------------------------------------------

static int both_directions(void *arg) {
  (void)arg;
  int fds[2];
  char c, *much = calloc(1, 1 << 20);
  pair_open(fds, SOCKETS);
  CHECK_EQ(bw_poll_fd(fds[0], BW_POLL_READ | BW_POLL_WRITE, 0), BW_POLL_WRITE);
  ptrdiff_t full = bw_write_until(fds[0], much, 1 << 20, 0);
  CHECK(full > 0);
  CHECK_EQ(bw_poll_fd(fds[0], BW_POLL_READ | BW_POLL_WRITE, 0), BW_ETIMEDOUT);
  io_call reads = {.fd = fds[0], .events = BW_POLL_READ, .deadline = BW_NO_DEADLINE};
  io_call writes = {.fd = fds[0], .events = BW_POLL_WRITE, .deadline = BW_NO_DEADLINE};
  io_call either = {.fd = fds[0], .events = 3, .deadline = BW_NO_DEADLINE};
  CHECK_EQ(bw_go(io_call_poll, &reads), 0);
  CHECK_EQ(bw_go(io_call_poll, &writes), 0);
  CHECK_EQ(bw_go(io_call_poll, &either), 0);
  settle();
  CHECK_EQ(bw_write(fds[1], "x", 1), 1);
  io_wait_done(&reads);
  io_wait_done(&either);
  CHECK_EQ(reads.result, BW_POLL_READ);
  CHECK_EQ(either.result, BW_POLL_READ);
  CHECK(!atomic_load(&writes.done)); // it goes on waiting
  CHECK_EQ(bw_read(fds[0], &c, 1), 1);
  read_all(fds[1], much, (size_t)full);
  io_wait_done(&writes);
  CHECK_EQ(writes.result, BW_POLL_WRITE);
  CHECK_EQ(bw_close_fd(fds[1]), 0);
  CHECK_EQ(bw_poll_fd(fds[0], 3, BW_NO_DEADLINE), 3); // hung up: neither would block
  CHECK_EQ(bw_close_fd(fds[0]), 0);
  free(much);
  return 0;
}
TEST(io_both_directions) { test_run(both_directions, NULL, 1); }
TEST(io_both_directions_on_many_procs) { test_run(both_directions, NULL, 4); }

static int close_wakes(void *arg) {
  (void)arg;
  for (pair_kind kind = 0; kind < KINDS; kind++) {
    enum { N = 10 };
    int fds[2];
    io_call calls[N] = {0};
    pair_open(fds, kind);
    io_wait_parked(0);
    for (int i = 0; i < N; i++) {
      calls[i] = (io_call){.fd = fds[0], .events = BW_POLL_READ, .deadline = BW_NO_DEADLINE};
      if (i % 3 == 0) calls[i].deadline = bw_now() + 20 * BW_SECOND;
      CHECK_EQ(bw_go(i % 2 ? io_call_poll : io_call_read, &calls[i]), 0);
    }
    io_wait_parked(N);
    CHECK_EQ(bw_close_fd(fds[0]), 0);
    for (int i = 0; i < N; i++) {
      io_wait_done(&calls[i]);
      CHECK_EQ(calls[i].result, BW_ECLOSED);
    }
    CHECK_EQ(bw_errno(bw_close_fd(fds[0])), EBADF);
    CHECK_EQ(bw_close_fd(fds[1]), 0);
  }
  return 0;
}
TEST(io_close_wakes) { test_run(close_wakes, NULL, 1); }
TEST(io_close_wakes_on_many_procs) { test_run(close_wakes, NULL, 4); }

// A plain thread may close as well.
static void close_on_thread(void *arg) { CHECK_EQ(bw_close_fd(*(int *)arg), 0); }

static int close_from_a_thread(void *arg) {
  (void)arg;
  for (int i = 0; i < 50; i++) {
    int fds[2];
    bw__port_thread t;
    pair_open(fds, SOCKETS);
    bw_outside_enter();
    io_wait_parked(0);
    io_call call = {.fd = fds[0], .deadline = BW_NO_DEADLINE};
    CHECK_EQ(bw_go(io_call_read, &call), 0);
    io_wait_parked(1);
    CHECK_EQ(bw__port_thread_start(&t, close_on_thread, &fds[0]), 0);
    io_wait_done(&call);
    CHECK_EQ(call.result, BW_ECLOSED);
    bw__port_thread_join(&t);
    bw_outside_leave();
    CHECK_EQ(bw_close_fd(fds[1]), 0);
  }
  return 0;
}
TEST(io_close_from_a_thread) { test_run(close_from_a_thread, NULL, 1); }

// ---- numbers that come back ---------------------------------------------------------------------

// A file is ready and closed, and another has its number at once: who waits for that one must not
// hear of the first.
static int number_reused(void *plain) {
  int rounds = test_is_slow_build() ? 100 : 1000;
  for (int i = 0; i < rounds; i++) {
    int fds[2], other[2];
    char c;
    pair_open(fds, SOCKETS);
    io_wait_parked(0);
    io_call old = {.fd = fds[0], .events = BW_POLL_READ, .deadline = BW_NO_DEADLINE};
    CHECK_EQ(bw_go(io_call_poll, &old), 0);
    io_wait_parked(1);
    CHECK_EQ(bw_write(fds[1], "x", 1), 1);
    if (plain) io_wait_done(&old); // nobody may wait then
    CHECK_EQ(plain ? close(fds[0]) : bw_close_fd(fds[0]), 0);
    pair_open(other, SOCKETS);
    CHECK_EQ(other[0], fds[0]);
    io_call call = {.fd = other[0], .events = BW_POLL_READ, .deadline = bw_now() + BW_MILLISECOND};
    if (i % 3) call.deadline = BW_NO_DEADLINE;
    CHECK_EQ(bw_go(io_call_poll, &call), 0);
    settle();
    if (i % 3) {
      CHECK(!atomic_load(&call.done));
      CHECK_EQ(bw_write(other[1], "y", 1), 1);
    }
    io_wait_done(&call);
    CHECK_EQ(call.result, i % 3 ? BW_POLL_READ : BW_ETIMEDOUT);
    if (i % 3) CHECK_EQ(bw_read(other[0], &c, 1), 1);
    io_wait_done(&old);
    pair_close(other);
    CHECK_EQ(bw_close_fd(fds[1]), 0);
  }
  return 0;
}
TEST(io_number_reused) { test_run(number_reused, NULL, 1); }
TEST(io_number_reused_on_many_procs) { test_run(number_reused, NULL, 4); }
TEST(io_number_reused_after_close) { test_run(number_reused, "plain", 1); }

// The old file lives on under another number, and the poller goes on watching it.
static int number_reused_of_a_living_file(void *arg) {
  (void)arg;
  int fds[2], other[2];
  char c;
  pair_open(fds, SOCKETS);
  CHECK_EQ(bw_read_until(fds[0], &c, 1, bw_now() + BW_MILLISECOND), BW_ETIMEDOUT);
  int twin = dup(fds[0]);
  close(fds[0]);
  pair_open(other, SOCKETS);
  CHECK_EQ(other[0], fds[0]);
  io_call call = {.fd = other[0], .deadline = BW_NO_DEADLINE};
  CHECK_EQ(bw_go(io_call_read, &call), 0);
  settle();
  CHECK_EQ(bw_write(fds[1], "x", 1), 1);
  settle();
  CHECK(!atomic_load(&call.done));
  CHECK_EQ(bw_write(other[1], "y", 1), 1);
  io_wait_done(&call);
  CHECK_EQ(call.byte, 'y');
  CHECK_EQ(bw_read(twin, &c, 1), 1);
  CHECK_EQ(c, 'x');
  CHECK_EQ(bw_close_fd(twin), 0);
  CHECK_EQ(bw_close_fd(fds[1]), 0);
  pair_close(other);
  return 0;
}
TEST(io_number_reused_of_a_living_file) { test_run(number_reused_of_a_living_file, NULL, 1); }

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

// Goroutines that still wait when the runtime ends are forgotten, and the next run begins anew.
static int leave_waiting(void *arg) {
  static io_call call;
  call = (io_call){.fd = *(int *)arg, .deadline = bw_now() + 20 * BW_SECOND};
  CHECK_EQ(bw_go(io_call_read, &call), 0);
  settle();
  return 0;
}
TEST(io_left_waiting) {
  int fds[2];
  pair_open(fds, SOCKETS);
  for (int i = 0; i < 5; i++) test_run(leave_waiting, &fds[0], i + 1);
  pair_close(fds);
  test_run(deadline_does_not_pass, NULL, 2);
}

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
