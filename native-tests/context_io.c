// Waits for file descriptors that take a context.
#include "context_util.h"
#include "io_util.h"

TEST(context_io_not_supported) {
  if (bw__port_capabilities.polls) SKIP("file descriptors can be waited for on this target");
  bw_context *ctx = bw_context_background();
  char c = 0;
  CHECK_EQ(bw_poll_fd_ctx(ctx, 0, BW_POLL_READ), BW_ENOTSUP);
  CHECK_EQ(bw_read_ctx(ctx, 0, &c, 1), BW_ENOTSUP);
  CHECK_EQ(bw_write_ctx(ctx, 1, &c, 1), BW_ENOTSUP);
  CHECK_EQ(bw_accept_ctx(ctx, 0, NULL, NULL), BW_ENOTSUP);
  CHECK_EQ(bw_connect_ctx(ctx, 0, NULL, 0), BW_ENOTSUP);
}

#if !BW_WASM

typedef struct {
  bw_context *ctx;
  int fd;
  ptrdiff_t result;
  char byte;
  atomic_bool done;
} ctx_call;

static void call_read(void *arg) {
  ctx_call *c = arg;
  c->result = bw_read_ctx(c->ctx, c->fd, &c->byte, 1);
  atomic_store(&c->done, true);
}

static void call_poll(void *arg) {
  ctx_call *c = arg;
  c->result = bw_poll_fd_ctx(c->ctx, c->fd, BW_POLL_READ);
  atomic_store(&c->done, true);
}

static void call_accept(void *arg) {
  ctx_call *c = arg;
  c->result = bw_accept_ctx(c->ctx, c->fd, NULL, NULL);
  atomic_store(&c->done, true);
}

// Until the socket takes no more.
static void call_write(void *arg) {
  ctx_call *c = arg;
  static const char zeros[1 << 16];
  do c->result = bw_write_ctx(c->ctx, c->fd, zeros, sizeof zeros);
  while (c->result > 0);
  atomic_store(&c->done, true);
}

static int listener(void) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un addr = {.sun_family = AF_UNIX}; // a name of its own that the system chooses
  CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(sa_family_t)), 0);
  CHECK_EQ(listen(fd, 1), 0);
  return fd;
}

// One waits in each of the calls, some of them for the same descriptor.
enum { CALLS = 6 };

static void begin_all(ctx_call *c, bw_context *ctx, const int *pair, const int *full, int server) {
  static void (*const fns[CALLS])(void *) = {call_read, call_read,   call_poll,
                                             call_poll, call_accept, call_write};
  for (int i = 0; i < CALLS; i++) {
    c[i] = (ctx_call){.ctx = ctx, .fd = pair[0]};
    if (fns[i] == call_accept) c[i].fd = server;
    if (fns[i] == call_write) c[i].fd = full[0];
    CHECK_EQ(bw_go(fns[i], &c[i]), 0);
  }
}

static void check_all(ctx_call *c, int code) {
  for (int i = 0; i < CALLS; i++) {
    while (!atomic_load(&c[i].done)) bw_sleep(50 * BW_MICROSECOND);
    CHECK_EQ(c[i].result, code);
  }
  io_wait_parked(0);
  context_wait_alone();
}

CONTEXT_TEST(context_ends_waits_for_descriptors) {
  (void)arg;
  for (pair_kind kind = 0; kind < KINDS; kind++) {
    int pair[2], full[2], server = listener();
    ctx_call calls[CALLS];
    bw_cancel *cancel;
    pair_open(pair, kind);
    pair_open(full, SOCKETS);
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    begin_all(calls, ctx, pair, full, server);
    io_wait_parked(CALLS);
    CHECK_EQ(context_watchers(ctx), CALLS);
    bw_cancel_now(cancel);
    check_all(calls, BW_ECANCELED);
    CHECK_EQ(context_watchers(ctx), 0);
    begin_all(calls, ctx, pair, full, server);
    check_all(calls, BW_ECANCELED);
    char c = 'x'; // what can be done is done
    CHECK_EQ(bw_write_ctx(ctx, pair[1], &c, 1), 1);
    CHECK_EQ(bw_poll_fd_ctx(ctx, pair[0], BW_POLL_READ), BW_POLL_READ);
    CHECK_EQ(bw_read_ctx(ctx, pair[0], &c, 1), 1);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
    ctx = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &cancel);
    begin_all(calls, ctx, pair, full, server);
    check_all(calls, BW_EDEADLINE);
    bw_cancel_release(cancel);
    bw_context_release(ctx);
    pair_close(pair);
    pair_close(full);
    bw_close_fd(server);
  }
  return 0;
}

// Data and the end come at the same time: it is one of the two, and the byte is not lost.
CONTEXT_TEST(context_end_races_with_data) {
  (void)arg;
  int pair[2];
  pair_open(pair, SOCKETS);
  for (int i = 0; i < 200; i++) {
    bw_cancel *cancel;
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    ctx_call c = {.ctx = ctx, .fd = pair[0]};
    char byte = (char)i;
    CHECK_EQ(bw_go(call_read, &c), 0);
    if (i % 4) io_wait_parked(1);
    if (i % 2) CHECK_EQ(bw_write(pair[1], &byte, 1), 1);
    if (i % 3) bw_gosched();
    bw_cancel_now(cancel);
    if (i % 2 == 0) CHECK_EQ(bw_write(pair[1], &byte, 1), 1);
    while (!atomic_load(&c.done)) bw_gosched();
    CHECK(c.result == 1 || c.result == BW_ECANCELED);
    if (c.result != 1) CHECK_EQ(bw_read(pair[0], &c.byte, 1), 1);
    CHECK_EQ(c.byte, byte);
    CHECK_EQ(context_watchers(ctx), 0);
    io_wait_parked(0);
    context_wait_alone();
    bw_cancel_release(cancel);
    bw_context_release(ctx);
  }
  pair_close(pair);
  return 0;
}

static int threads_wait(void *arg) {
  (void)arg;
  int pair[2];
  bw_cancel *cancel;
  pair_open(pair, PIPE);
  bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
  ctx_call c = {.ctx = ctx, .fd = pair[0]};
  chan_thread t;
  chan_thread_start(&t, call_read, &c);
  bw_sleep(BW_MILLISECOND); // it may wait by then, or may not: the same must come out
  CHECK(!atomic_load(&c.done));
  bw_cancel_now(cancel);
  chan_thread_join(&t);
  CHECK_EQ(c.result, BW_ECANCELED);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  pair_close(pair);
  return 0;
}
TEST(context_ends_waits_of_threads_for_descriptors) { test_run(threads_wait, NULL, 2); }

// The run ends, and the context does not.
static bw_cancel *kept_cancel;
static bw_context *kept;

static int leave_waiting(void *arg) {
  int *pair = arg;
  static ctx_call calls[3];
  kept = bw_with_cancel(bw_context_background(), &kept_cancel);
  for (int i = 0; i < 3; i++) {
    calls[i] = (ctx_call){.ctx = kept, .fd = pair[0]};
    CHECK_EQ(bw_go(call_read, &calls[i]), 0);
  }
  io_wait_parked(3);
  return 0;
}

TEST(context_outlives_those_who_wait_for_descriptors) {
  int pair[2];
  pair_open(pair, SOCKETS);
  for (int i = 0; i < 3; i++) {
    test_run(leave_waiting, pair, 1 + i % 2);
    CHECK_EQ(context_watchers(kept), 0);
    bw_cancel_release(kept_cancel);
    bw_context_release(kept);
  }
  pair_close(pair);
}

static void accept_one(void *arg) {
  ctx_call *c = arg;
  c->result = bw_accept(c->fd, NULL, NULL);
  atomic_store(&c->done, true);
}

// A queue that is full: connecting tries again and again, until the end or until there is room.
static int connects(void *arg) {
  (void)arg;
  int server = listener(), fds[16], n = 0;
  struct sockaddr_un addr;
  socklen_t len = sizeof addr;
  CHECK_EQ(getsockname(server, (struct sockaddr *)&addr, &len), 0);
  bw_cancel *cancel;
  bw_context *ctx = bw_with_timeout(bw_context_background(), 5 * BW_MILLISECOND, &cancel);
  int code;
  do {
    CHECK(n < 16);
    fds[n] = socket(AF_UNIX, SOCK_STREAM, 0);
    code = bw_connect_ctx(ctx, fds[n++], (struct sockaddr *)&addr, len);
  } while (code == 0);
  CHECK_EQ(code, BW_EDEADLINE);
  ctx_call c = {.fd = server};
  CHECK_EQ(bw_go(accept_one, &c), 0);
  fds[n] = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_EQ(bw_connect_ctx(bw_context_background(), fds[n++], (struct sockaddr *)&addr, len), 0);
  while (!atomic_load(&c.done)) bw_gosched();
  CHECK(c.result >= 0);
  CHECK_EQ(bw_close_fd((int)c.result), 0);
  for (int i = 0; i < n; i++) CHECK_EQ(bw_close_fd(fds[i]), 0);
  CHECK_EQ(bw_close_fd(server), 0);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  return 0;
}
TEST(context_of_a_connect) { test_run(connects, NULL, 1); }
#endif
