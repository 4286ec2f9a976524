// The calls on file descriptors, one by one, on goroutines and on plain threads.
#include "io_util.h"

// Where there are no file descriptors to wait for every call says so.
TEST(io_not_supported) {
  if (bw__port_capabilities.polls) SKIP("file descriptors can be waited for on this target");
  char c = 0;
  CHECK_EQ(bw_poll_fd(0, BW_POLL_READ, 0), BW_ENOTSUP);
  CHECK_EQ(bw_read(0, &c, 1), BW_ENOTSUP);
  CHECK_EQ(bw_write(1, &c, 1), BW_ENOTSUP);
  CHECK_EQ(bw_read_until(0, &c, 1, BW_NO_DEADLINE), BW_ENOTSUP);
  CHECK_EQ(bw_write_until(1, &c, 1, 0), BW_ENOTSUP);
  CHECK_EQ(bw_accept(0, NULL, NULL), BW_ENOTSUP);
  CHECK_EQ(bw_accept_until(0, NULL, NULL, 0), BW_ENOTSUP);
  CHECK_EQ(bw_connect(0, NULL, 0), BW_ENOTSUP);
  CHECK_EQ(bw_connect_until(0, NULL, 0, 0), BW_ENOTSUP);
  CHECK_EQ(bw_close_fd(0), BW_ENOTSUP);
}

TEST(io_codes) {
  CHECK_EQ(bw_errno(BW_ESYSTEM - 11), 11);
  CHECK_EQ(bw_errno(BW_ESYSTEM), 0);
  CHECK_EQ(bw_errno(BW_ECLOSED), 0);
  CHECK_EQ(bw_errno(7), 0);
  CHECK_STR(bw_strerror(BW_ESYSTEM - 11), "system error");
  CHECK_STR(bw_strerror(BW_ETIMEDOUT), "deadline has passed");
  CHECK_STR(bw_strerror(-999), "unknown error");
}

#if !BW_WASM

// ---- data ---------------------------------------------------------------------------------------

static int reads_and_writes(void *arg) {
  (void)arg;
  for (pair_kind kind = 0; kind < KINDS; kind++) {
    int fds[2];
    char buf[8] = {0};
    pair_open(fds, kind);
    CHECK_EQ(bw_write(fds[1], "hello", 5), 5);
    CHECK_EQ(bw_poll_fd(fds[0], BW_POLL_READ, 0), BW_POLL_READ);
    CHECK_EQ(bw_read(fds[0], buf, 3), 3);
    CHECK_EQ(bw_read(fds[0], buf + 3, 5), 2);
    CHECK_STR(buf, "hello");
    CHECK_EQ(bw_write(fds[1], buf, 0), 0);
    CHECK_EQ(bw_read_until(fds[0], buf, 8, 0), BW_ETIMEDOUT);
    CHECK_EQ(bw_close_fd(fds[1]), 0);
    CHECK_EQ(bw_poll_fd(fds[0], BW_POLL_READ, 0), BW_POLL_READ); // the end counts as ready
    CHECK_EQ(bw_read(fds[0], buf, 8), 0);
    CHECK_EQ(bw_read(fds[0], buf, 8), 0);
    CHECK_EQ(bw_close_fd(fds[0]), 0);
  }
  return 0;
}
TEST(io_reads_and_writes) { test_run(reads_and_writes, NULL, 2); }
TEST(io_reads_and_writes_on_a_plain_thread) { CHECK_EQ(reads_and_writes(NULL), 0); }

static int regular_file(void *arg) {
  (void)arg;
  enum { N = 300000 };
  static char out[N], in[N];
  char path[] = "/tmp/burrow-io-XXXXXX";
  int fd = mkstemp(path);
  CHECK(fd >= 0);
  unlink(path);
  for (int i = 0; i < N; i++) out[i] = (char)(i * 7);
  CHECK_EQ(bw_poll_fd(fd, BW_POLL_READ | BW_POLL_WRITE, BW_NO_DEADLINE), 3);
  CHECK_EQ(bw_write(fd, out, N), N);
  CHECK_EQ(bw_read(fd, in, N), 0);
  CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
  CHECK_EQ(bw_read(fd, in, N), N);
  CHECK(memcmp(in, out, N) == 0);
  CHECK_EQ(bw_close_fd(fd), 0);
  return 0;
}
TEST(io_regular_file) { test_run(regular_file, NULL, 2); }
TEST(io_regular_file_on_a_plain_thread) { CHECK_EQ(regular_file(NULL), 0); }

static int bad_descriptors(void *arg) {
  (void)arg;
  char c = 0;
  struct sockaddr_in to = {.sin_family = AF_INET};
  int closed = dup(0);
  close(closed);
  int bad[] = {-1, closed, 1 << 20, INT32_MAX};
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(bw_errno((int)bw_read(bad[i], &c, 1)), EBADF);
    CHECK_EQ(bw_errno((int)bw_write(bad[i], &c, 1)), EBADF);
    CHECK_EQ(bw_errno(bw_poll_fd(bad[i], BW_POLL_READ, BW_NO_DEADLINE)), EBADF);
    CHECK_EQ(bw_errno(bw_accept(bad[i], NULL, NULL)), EBADF);
    CHECK_EQ(bw_errno(bw_connect(bad[i], (struct sockaddr *)&to, sizeof to)), EBADF);
    CHECK_EQ(bw_errno(bw_close_fd(bad[i])), EBADF);
  }
  int fds[2];
  pair_open(fds, PIPE);
  CHECK_EQ(bw_errno((int)bw_read_until(fds[1], &c, 1, bw_now() + BW_SECOND)), EBADF); // a write end
  CHECK_EQ(bw_errno(bw_accept_until(fds[0], NULL, NULL, 0)) == ENOTSOCK ||
               bw_accept_until(fds[0], NULL, NULL, 0) == BW_ETIMEDOUT,
           1);
  CHECK_EQ(bw_poll_fd(fds[0], 0, 0), BW_EINVAL);
  CHECK_EQ(bw_poll_fd(fds[0], 4, 0), BW_EINVAL);
  pair_close(fds);
  return 0;
}
TEST(io_bad_descriptors) { test_run(bad_descriptors, NULL, 1); }
TEST(io_bad_descriptors_on_a_plain_thread) { CHECK_EQ(bad_descriptors(NULL), 0); }

// A socket's other side is gone: a code, and no SIGPIPE, which would end this program.
static int other_side_gone(void *arg) {
  (void)arg;
  int fds[2];
  pair_open(fds, SOCKETS);
  CHECK_EQ(bw_close_fd(fds[0]), 0);
  CHECK_EQ(bw_errno((int)bw_write(fds[1], "x", 1)), EPIPE);
  CHECK_EQ(bw_close_fd(fds[1]), 0);
  return 0;
}
TEST(io_no_sigpipe_from_sockets) { test_run(other_side_gone, NULL, 1); }

// ---- more than fits -----------------------------------------------------------------------------

enum { MUCH = 1 << 20 };

typedef struct {
  int fd;
  unsigned seed;
  ptrdiff_t written;
  group *all;
} writer;

static void write_much(void *arg) {
  writer *w = arg;
  char *data = malloc(MUCH);
  for (int i = 0; i < MUCH; i++) data[i] = (char)((unsigned)i * 2654435761u >> 24);
  w->written = bw_write(w->fd, data, MUCH);
  free(data);
  group_done(w->all);
}

static int partial_writes(void *arg) {
  (void)arg;
  for (pair_kind kind = 0; kind < KINDS; kind++) {
    int fds[2];
    group g;
    char buf[5000];
    pair_open(fds, kind);
    group_init(&g, 1);
    writer w = {.fd = fds[1], .all = &g};
    CHECK_EQ(bw_go(write_much, &w), 0);
    for (int at = 0; at < MUCH;) {
      ptrdiff_t n = bw_read(fds[0], buf, sizeof buf);
      CHECK(n > 0);
      for (int i = 0; i < n; i++, at++) CHECK_EQ(buf[i], (char)((unsigned)at * 2654435761u >> 24));
    }
    group_wait(&g);
    CHECK_EQ(w.written, MUCH);
    pair_close(fds);
  }
  return 0;
}
TEST(io_partial_writes) { test_run(partial_writes, NULL, 1); }
TEST(io_partial_writes_on_many_procs) { test_run(partial_writes, NULL, 4); }

// A write that cannot go on says how far it came, and the next one why.
static int write_until_full(void *arg) {
  (void)arg;
  char *data = calloc(1, MUCH), *back = malloc(MUCH);
  for (pair_kind kind = 0; kind < KINDS; kind++) {
    int fds[2];
    pair_open(fds, kind);
    ptrdiff_t n = bw_write_until(fds[1], data, MUCH, bw_now() + 5 * BW_MILLISECOND);
    CHECK(n > 0 && n < MUCH);
    CHECK_EQ(bw_write_until(fds[1], data, MUCH, bw_now() + 5 * BW_MILLISECOND), BW_ETIMEDOUT);
    CHECK_EQ(bw_poll_fd(fds[1], BW_POLL_WRITE, 0), BW_ETIMEDOUT);
    read_all(fds[0], back, (size_t)n);
    CHECK_EQ(bw_read_until(fds[0], back, 1, 0), BW_ETIMEDOUT); // not a byte more
    CHECK_EQ(bw_poll_fd(fds[1], BW_POLL_WRITE, 0), BW_POLL_WRITE);
    pair_close(fds);
  }
  free(data);
  free(back);
  return 0;
}
TEST(io_write_until_full) { test_run(write_until_full, NULL, 1); }
TEST(io_write_until_full_on_a_plain_thread) { CHECK_EQ(write_until_full(NULL), 0); }

// ---- connections --------------------------------------------------------------------------------

enum { CLIENTS = 40, ROUNDS = 20 };

typedef struct {
  union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
  };
  socklen_t len;
} address;

static void echo(void *arg) {
  int fd = (int)(intptr_t)arg;
  char buf[256];
  for (ptrdiff_t n; (n = bw_read(fd, buf, sizeof buf)) > 0;) CHECK_EQ(bw_write(fd, buf, n), n);
  CHECK_EQ(bw_close_fd(fd), 0);
}

typedef struct {
  int listener, accepted, end;
  atomic_bool done;
} server;

static void serve(void *arg) {
  server *s = arg;
  for (int fd; (fd = s->end = bw_accept(s->listener, NULL, NULL)) >= 0; s->accepted++)
    CHECK_EQ(bw_go(echo, (void *)(intptr_t)fd), 0);
  atomic_store(&s->done, true);
}

typedef struct {
  address *to;
  int number;
  group *all;
} client;

static void call(void *arg) {
  client *c = arg;
  char out[100], in[100];
  int fd = socket(c->to->any.sa_family, SOCK_STREAM, 0);
  CHECK_EQ(bw_connect(fd, &c->to->any, c->to->len), 0);
  CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  for (int i = 0; i < ROUNDS; i++) {
    memset(out, c->number + i, sizeof out);
    CHECK_EQ(bw_write(fd, out, sizeof out), (ptrdiff_t)sizeof out);
    read_all(fd, in, sizeof in);
    CHECK(memcmp(in, out, sizeof in) == 0);
  }
  CHECK_EQ(bw_close_fd(fd), 0);
  group_done(c->all);
}

// The listener's queue is short, so that some connects find it full.
static void echo_server(address *at, int flags) {
  server s = {.listener = socket(at->any.sa_family, SOCK_STREAM | flags, 0)};
  CHECK_EQ(bind(s.listener, &at->any, at->len), 0);
  CHECK_EQ(listen(s.listener, 4), 0);
  at->len = sizeof at->un;
  CHECK_EQ(getsockname(s.listener, &at->any, &at->len), 0);
  CHECK_EQ(bw_go(serve, &s), 0);
  client clients[CLIENTS];
  group g;
  group_init(&g, CLIENTS);
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = (client){at, i, &g};
    CHECK_EQ(bw_go(call, &clients[i]), 0);
  }
  group_wait(&g);
  CHECK_EQ(bw_close_fd(s.listener), 0);
  while (!atomic_load(&s.done)) bw_gosched();
  CHECK_EQ(s.accepted, CLIENTS);
  CHECK(s.end == BW_ECLOSED || bw_errno(s.end) == EBADF);
}

// Several wait for the one connection that comes: the others go on waiting, for their deadline or
// the close, and hold no thread.
typedef struct {
  int listener;
  int64_t deadline;
  _Atomic(int) accepted, timed_out, closed;
} acceptors;

static void accept_one(void *arg) {
  acceptors *a = arg;
  int fd = bw_accept_until(a->listener, NULL, NULL, a->deadline);
  if (fd >= 0) CHECK_EQ(bw_close_fd(fd), 0);
  atomic_fetch_add(fd >= 0 ? &a->accepted : fd == BW_ETIMEDOUT ? &a->timed_out : &a->closed, 1);
}

static int one_connection(void *to_be_closed) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  acceptors a = {.listener = socket(AF_UNIX, SOCK_STREAM, 0),
                 .deadline = to_be_closed ? BW_NO_DEADLINE
                                          : bw_now() + (test_is_slow_build() ? 5 : 1) * BW_SECOND};
  CHECK_EQ(bind(a.listener, (struct sockaddr *)&at, sizeof at.sun_family), 0); // any free name
  CHECK_EQ(listen(a.listener, 4), 0);
  unsigned len = sizeof at;
  CHECK_EQ(getsockname(a.listener, (struct sockaddr *)&at, &len), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(bw_go(accept_one, &a), 0);
  io_wait_parked(3);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQ(bw_connect(fd, (struct sockaddr *)&at, len), 0);
  while (atomic_load(&a.accepted) == 0) bw_sleep(BW_MILLISECOND);
  if (to_be_closed) CHECK_EQ(bw_close_fd(a.listener), 0);
  while (bw_num_goroutine() > 1) bw_sleep(BW_MILLISECOND);
  CHECK_EQ(atomic_load(&a.accepted), 1);
  CHECK_EQ(atomic_load(to_be_closed ? &a.closed : &a.timed_out), 2);
  if (!to_be_closed) CHECK_EQ(bw_close_fd(a.listener), 0);
  CHECK_EQ(bw_close_fd(fd), 0);
  return 0;
}
TEST(io_many_accept_one_connection) { test_run(one_connection, NULL, 2); }
TEST(io_many_accept_until_the_close) { test_run(one_connection, "close", 2); }

static int loopback(void *flags) {
  address at = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                .len = sizeof(struct sockaddr_in)};
  echo_server(&at, (int)(intptr_t)flags);
  return 0;
}
TEST(io_echo_over_loopback) { test_run(loopback, (void *)(intptr_t)SOCK_NONBLOCK, 1); }
TEST(io_echo_over_loopback_on_many_procs) {
  test_run(loopback, (void *)(intptr_t)SOCK_NONBLOCK, 4);
}
TEST(io_echo_with_a_listener_that_blocks) { test_run(loopback, NULL, 2); }

// An abstract address: the system makes one up, and it leaves no file.
static int unix_sockets(void *arg) {
  (void)arg;
  address at = {.un = {.sun_family = AF_UNIX}, .len = sizeof(sa_family_t)};
  echo_server(&at, SOCK_NONBLOCK);
  return 0;
}
TEST(io_echo_over_unix_sockets) { test_run(unix_sockets, NULL, 4); }

static int connect_fails(void *arg) {
  (void)arg;
  address at = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                .len = sizeof(struct sockaddr_in)};
  int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(bind(listener, &at.any, at.len), 0); // a port of its own, but it does not listen
  CHECK_EQ(getsockname(listener, &at.any, &at.len), 0);
  CHECK_EQ(bw_errno(bw_connect(fd, &at.any, at.len)), ECONNREFUSED);
  CHECK_EQ(bw_close_fd(fd), 0);
  CHECK_EQ(bw_accept_until(listener, NULL, NULL, 0) == BW_ETIMEDOUT ||
               bw_errno(bw_accept_until(listener, NULL, NULL, 0)) == EINVAL,
           1);
  CHECK_EQ(bw_close_fd(listener), 0);
  return 0;
}
TEST(io_connect_fails) { test_run(connect_fails, NULL, 1); }
TEST(io_connect_fails_on_a_plain_thread) { CHECK_EQ(connect_fails(NULL), 0); }

// A Unix listener that never accepts: once its queue is full, connecting takes until the deadline.
static int connect_until(void *arg) {
  (void)arg;
  address at = {.un = {.sun_family = AF_UNIX}, .len = sizeof(sa_family_t)};
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), fds[8], code = 0, n = 0;
  CHECK_EQ(bind(listener, &at.any, at.len), 0);
  CHECK_EQ(listen(listener, 1), 0);
  at.len = sizeof at.un;
  CHECK_EQ(getsockname(listener, &at.any, &at.len), 0);
  for (; n < 8 && code == 0; n++) {
    fds[n] = socket(AF_UNIX, SOCK_STREAM, 0);
    code = bw_connect_until(fds[n], &at.any, at.len, bw_now() + 5 * BW_MILLISECOND);
  }
  CHECK_EQ(code, BW_ETIMEDOUT);
  CHECK(n > 1);
  while (n > 0) CHECK_EQ(bw_close_fd(fds[--n]), 0);
  CHECK_EQ(bw_close_fd(listener), 0);
  return 0;
}
TEST(io_connect_until) { test_run(connect_until, NULL, 1); }

#endif
