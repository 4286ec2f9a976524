// Waiting for file descriptors: data that come in time and too late, one who waits and several.
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

// ---- the end of the run
// --------------------------------------------------------------------------

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

#endif
