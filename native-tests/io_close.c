// Closing file descriptors: who is woken, and the number's next file.
#include "io_util.h"

#if !BW_WASM

// ---- who waits is woken -------------------------------------------------------------------------

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

// ---- files whose close takes long ---------------------------------------------------------------

// fds[0] lingers: for 40 s, or until fds[1] is closed.
static void lingering_open(int fds[2]) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
  CHECK_EQ(listen(listener, 1), 0);
  CHECK_EQ(getsockname(listener, (struct sockaddr *)&at, &len), 0);
  fds[0] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(bw_connect(fds[0], (struct sockaddr *)&at, sizeof at), 0);
  fds[1] = bw_accept(listener, NULL, NULL);
  CHECK(fds[1] >= 0);
  CHECK_EQ(bw_close_fd(listener), 0);
  struct linger linger = {.l_onoff = 1, .l_linger = 40};
  CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
}

// Until the other side takes no more, and then 10 ms longer: so there is always something unsent.
static void fill(int fd) {
  static const char much[1 << 16];
  while (bw_write_until(fd, much, sizeof much, bw_now() + 10 * BW_MILLISECOND) > 0) {}
}

static int lowest_free(void) {
  int fd = dup(0);
  CHECK(fd >= 0);
  CHECK_EQ(close(fd), 0);
  return fd;
}

static void close_fd(void *arg) {
  io_call *call = arg;
  call->result = bw_close_fd(call->fd);
  atomic_store(&call->done, true);
}

// Who waits for it is woken, and the number's next file is waited for and closed, while the first
// one's close goes on.
static int close_lingers(void *arg) {
  (void)arg;
  int fds[2], other[2], lowest = lowest_free();
  lingering_open(fds);
  fill(fds[0]);
  io_wait_parked(0);
  io_call old = {.fd = fds[0], .events = BW_POLL_READ, .deadline = BW_NO_DEADLINE};
  CHECK_EQ(bw_go(io_call_poll, &old), 0);
  io_wait_parked(1);
  io_call closing = {.fd = fds[0]};
  CHECK_EQ(bw_go(close_fd, &closing), 0);
  io_wait_done(&old);
  CHECK_EQ(old.result, BW_ECLOSED);
  CHECK_EQ(fcntl(fds[0], F_GETFD), -1);
  pair_open(other, SOCKETS);
  int end = other[1] == fds[0]; // which of the two gets the number
  if (other[end] != fds[0]) CHECK_EQ(dup2(other[end], fds[0]), fds[0]);
  io_wait_parked(0);
  io_call call = {.fd = fds[0], .deadline = BW_NO_DEADLINE};
  CHECK_EQ(bw_go(io_call_read, &call), 0);
  io_wait_parked(1);
  CHECK_EQ(bw_write(other[!end], "y", 1), 1);
  io_wait_done(&call);
  CHECK_EQ(call.byte, 'y');
  CHECK_EQ(bw_close_fd(fds[0]), 0);
  CHECK(!atomic_load(&closing.done));
  CHECK_EQ(bw_close_fd(fds[1]), 0);
  io_wait_done(&closing);
  CHECK_EQ(closing.result, 0);
  if (other[end] != fds[0]) CHECK_EQ(bw_close_fd(other[end]), 0);
  CHECK_EQ(bw_close_fd(other[!end]), 0);
  CHECK_EQ(lowest_free(), lowest);
  return 0;
}
TEST(io_close_lingers) { test_run(close_lingers, NULL, 1); }
TEST(io_close_lingers_on_many_procs) { test_run(close_lingers, NULL, 4); }

// There is no second descriptor to be had: the file is closed all the same, and only it.
static int close_without_a_second(void *arg) {
  (void)arg;
  int fds[2], filler[64], n = 0;
  struct rlimit files, few;
  lingering_open(fds);
  io_wait_parked(0);
  io_call old = {.fd = fds[0], .events = BW_POLL_READ, .deadline = BW_NO_DEADLINE};
  CHECK_EQ(bw_go(io_call_poll, &old), 0);
  io_wait_parked(1);
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  few = files;
  few.rlim_cur = 64;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  while ((filler[n] = dup(0)) >= 0) n++;
  CHECK_EQ(errno, EMFILE);
  CHECK_EQ(bw_close_fd(fds[0]), 0);
  io_wait_done(&old);
  CHECK_EQ(old.result, BW_ECLOSED);
  filler[n++] = dup(0);
  CHECK_EQ(filler[n - 1], fds[0]);
  CHECK_EQ(dup(0), -1);
  while (n > 0) CHECK_EQ(close(filler[--n]), 0);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  CHECK_EQ(bw_close_fd(fds[1]), 0);
  return 0;
}
TEST(io_close_without_a_second_descriptor) { test_run(close_without_a_second, NULL, 1); }

// A disk's file under a number that was waited for before.
static int close_of_a_file(void *arg) {
  (void)arg;
  int fds[2], lowest = lowest_free();
  char c;
  FILE *file = tmpfile();
  CHECK(file);
  pair_open(fds, SOCKETS);
  CHECK_EQ(bw_read_until(fds[0], &c, 1, bw_now() + BW_MILLISECOND), BW_ETIMEDOUT);
  CHECK_EQ(dup2(fileno(file), fds[0]), fds[0]);
  fclose(file);
  CHECK_EQ(bw_write(fds[0], "x", 1), 1);
  CHECK_EQ(bw_close_fd(fds[0]), 0);
  CHECK_EQ(bw_errno(bw_close_fd(fds[0])), EBADF);
  CHECK_EQ(bw_close_fd(fds[1]), 0);
  CHECK_EQ(lowest_free(), lowest);
  return 0;
}
TEST(io_close_of_a_file) { test_run(close_of_a_file, NULL, 1); }

#endif
