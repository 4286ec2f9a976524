// The calls on file descriptors that take a context.
//
// A goroutine waits in the poller, and a watch of the context's source stops that wait; the watch
// begins before the wait, so nothing is missed in between. A plain thread, or a goroutine that the
// poller has no room for, is in poll(2), where no watch reaches it: it comes out every 10 ms to
// look.
#include "comm/context.h"

#include "sched/io.h"
#include "sched/poll.h"
#include "sched/sched.h"

enum { LOOK_AGAIN = 10 * 1000 * 1000 }; // ns

typedef struct {
  bw__io_waits waits;
  bw_context *ctx;
} with_context;

typedef struct {
  bw__poll_wait poll;
  bw__cancel_source *source;
  bw__cancel_watcher watch;
} watched;

static void stop(bw__cancel_watcher *w) {
  bw__poll_stop(&BW_CONTAINER(w, watched, watch)->poll, BW_ECANCELED);
}

// The end of the run.
static void abandon(bw__waiter *waiter) {
  watched *w = BW_CONTAINER(waiter, watched, poll.waiter);
  bw__cancel_unwatch(w->source, &w->watch);
}

static int park(watched *w) {
  if (!bw__cancel_watch(w->source, &w->watch, stop)) return BW_ECANCELED;
  w->poll.waiter.abandon = abandon;
  bw__g_current()->choosing = &w->poll.waiter; // from here on the watch must not be left behind
  int code = bw__poll_park(&w->poll);
  bw__cancel_unwatch(w->source, &w->watch);
  bw__wait_over(&w->poll.waiter);
  return code;
}

static int wait_on_thread(bw__cancel_source *source, int fd, unsigned events) {
  while (!source || !bw__cancelled(source)) {
    int64_t until = source ? bw__port_now() + LOOK_AGAIN : BW_NO_DEADLINE;
    int code = bw__io_wait_on_thread(fd, events, until);
    if (code != BW_ETIMEDOUT) return code;
  }
  return BW_ECANCELED;
}

static int wait_with(bw_context *ctx, int fd, unsigned events) {
  watched w = {.source = bw__context_source(ctx)};
  if (w.source && bw__cancelled(w.source)) return BW_ECANCELED;
  if (bw__g_current() && bw__poll_begin(&w.poll, fd, events, BW_NO_DEADLINE)) {
    int code = w.source ? park(&w) : bw__poll_park(&w.poll);
    if (code == BW_EINVAL) return (int)events;
    if (code != BW_ENOMEM) return code;
  }
  return wait_on_thread(w.source, fd, events);
}

static int wait(bw__io_waits *waits, int fd, unsigned events) {
  bw_context *ctx = BW_CONTAINER(waits, with_context, waits)->ctx;
  int code = wait_with(ctx, fd, events);
  return code == BW_ECANCELED ? bw_context_err(ctx) : code;
}

static int pause_with(bw__io_waits *waits, int64_t ns) {
  return bw_sleep_ctx(BW_CONTAINER(waits, with_context, waits)->ctx, ns);
}

static with_context with(bw_context *ctx) {
  return (with_context){{wait, pause_with}, bw__context_check(ctx)};
}

int bw_poll_fd_ctx(bw_context *ctx, int fd, unsigned events) {
  with_context w = with(ctx);
  return bw__poll_fd_with(fd, events, &w.waits);
}

ptrdiff_t bw_read_ctx(bw_context *ctx, int fd, void *buf, size_t n) {
  with_context w = with(ctx);
  return bw__read_with(fd, buf, n, &w.waits);
}

ptrdiff_t bw_write_ctx(bw_context *ctx, int fd, const void *buf, size_t n) {
  with_context w = with(ctx);
  return bw__write_with(fd, buf, n, &w.waits);
}

int bw_accept_ctx(bw_context *ctx, int fd, struct sockaddr *addr, unsigned *len) {
  with_context w = with(ctx);
  return bw__accept_with(fd, addr, len, &w.waits);
}

int bw_connect_ctx(bw_context *ctx, int fd, const struct sockaddr *addr, unsigned len) {
  with_context w = with(ctx);
  return bw__connect_with(fd, addr, len, &w.waits);
}
