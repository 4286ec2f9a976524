// The calls on file descriptors: try, and wait while that says BW_EAGAIN.
//
// A goroutine waits in the poller, a plain thread in poll(2). Where the poller cannot (no memory, a
// descriptor number beyond its table) the goroutine takes its thread into poll(2), as with
// bw_blocking: slower, and bw_close_fd does not wake it.
//
// A file that may block and is no socket is waited for first and then read or written by the
// blocking call, again as with bw_blocking, in case somebody else has taken what was there.
#include "sched/io.h"

#include "sched/poll.h"
#include "sched/sched.h"

#include <burrow/error.h>
#include <burrow/io.h>

_Static_assert((int)BW_POLL_READ == (int)BW_FD_READ && (int)BW_POLL_WRITE == (int)BW_FD_WRITE,
               "the port's bits are the public ones");

// ---- waiting ------------------------------------------------------------------------------------

typedef struct {
  int fd;
  unsigned events;
  int64_t until;
  int result;
} thread_wait;

static void wait_on_thread(void *arg) {
  thread_wait *w = arg;
  w->result = bw__port_fd_wait(w->fd, w->events, w->until);
  if (w->result == 0) w->result = BW_ETIMEDOUT;
}

int bw__io_wait_on_thread(int fd, unsigned events, int64_t deadline) {
  thread_wait w = {.fd = fd, .events = events, .until = deadline};
  if (deadline == BW_NO_DEADLINE) w.until = -1;
  bw_blocking(wait_on_thread, &w);
  return w.result;
}

// The waits of the public functions.
typedef struct {
  bw__io_waits waits;
  int64_t deadline;
} with_deadline;

static int wait_until(bw__io_waits *w, int fd, unsigned events) {
  int64_t deadline = BW_CONTAINER(w, with_deadline, waits)->deadline;
  if (deadline != BW_NO_DEADLINE && deadline <= bw__port_now()) return BW_ETIMEDOUT;
  bw__poll_wait p;
  if (bw__g_current() && bw__poll_begin(&p, fd, events, deadline)) {
    int code = bw__poll_park(&p);
    if (code == BW_EINVAL) return (int)events;
    if (code != BW_ENOMEM) return code;
  }
  return bw__io_wait_on_thread(fd, events, deadline);
}

static int pause_until(bw__io_waits *w, int64_t ns) {
  int64_t left = BW_CONTAINER(w, with_deadline, waits)->deadline - bw__port_now();
  if (left <= 0) return BW_ETIMEDOUT;
  bw_sleep(ns < left ? ns : left);
  return 0;
}

static with_deadline until(int64_t deadline) {
  return (with_deadline){{wait_until, pause_until}, deadline};
}

int bw__poll_fd_with(int fd, unsigned events, bw__io_waits *w) {
  if (!bw__port_capabilities.polls) return BW_ENOTSUP;
  if (events == 0 || events & ~(unsigned)(BW_POLL_READ | BW_POLL_WRITE)) return BW_EINVAL;
  int ready = bw__port_fd_wait(fd, events, 0);
  return ready != 0 ? ready : w->wait(w, fd, events);
}

int bw_poll_fd(int fd, unsigned events, int64_t deadline) {
  with_deadline w = until(deadline);
  return bw__poll_fd_with(fd, events, &w.waits);
}

// ---- read, write --------------------------------------------------------------------------------

typedef struct {
  int fd;
  void *to; // NULL: a write
  const void *from;
  size_t n;
  ptrdiff_t result;
} transfer;

static void transfer_on_thread(void *arg) {
  transfer *t = arg;
  t->result =
      t->to ? bw__port_fd_read(t->fd, t->to, t->n) : bw__port_fd_write(t->fd, t->from, t->n);
}

static ptrdiff_t blocking_transfer(transfer t, bw__io_waits *w) {
  int ready = bw__poll_fd_with(t.fd, t.to ? BW_POLL_READ : BW_POLL_WRITE, w);
  if (ready < 0) return ready;
  bw_blocking(transfer_on_thread, &t);
  return t.result;
}

ptrdiff_t bw__read_with(int fd, void *buf, size_t n, bw__io_waits *w) {
  if (n == 0) return bw__port_fd_read(fd, buf, 0);
  for (;;) {
    ptrdiff_t got = bw__port_fd_read_try(fd, buf, n);
    if (got == BW_ESTATE) got = blocking_transfer((transfer){.fd = fd, .to = buf, .n = n}, w);
    if (got != BW_EAGAIN) return got;
    int ready = w->wait(w, fd, BW_POLL_READ);
    if (ready < 0) return ready;
  }
}

// Some of it, as much as goes at once.
static ptrdiff_t write_some(int fd, const void *buf, size_t n, bw__io_waits *w) {
  for (;;) {
    ptrdiff_t put = bw__port_fd_write_try(fd, buf, n);
    if (put == BW_ESTATE) {
      transfer t = {.fd = fd, .from = buf, .n = bw__port_fd_write_most(fd, n)};
      put = blocking_transfer(t, w);
    }
    if (put != BW_EAGAIN) return put;
    int ready = w->wait(w, fd, BW_POLL_WRITE);
    if (ready < 0) return ready;
  }
}

ptrdiff_t bw__write_with(int fd, const void *buf, size_t n, bw__io_waits *w) {
  size_t done = 0;
  do {
    ptrdiff_t put = write_some(fd, (const char *)buf + done, n - done, w);
    if (put < 0) return done ? (ptrdiff_t)done : put;
    if (put == 0) break; // the system takes no more, and does not say why
    done += (size_t)put;
  } while (done < n);
  return (ptrdiff_t)done;
}

ptrdiff_t bw_read_until(int fd, void *buf, size_t n, int64_t deadline) {
  with_deadline w = until(deadline);
  return bw__read_with(fd, buf, n, &w.waits);
}

ptrdiff_t bw_write_until(int fd, const void *buf, size_t n, int64_t deadline) {
  with_deadline w = until(deadline);
  return bw__write_with(fd, buf, n, &w.waits);
}

ptrdiff_t bw_read(int fd, void *buf, size_t n) { return bw_read_until(fd, buf, n, BW_NO_DEADLINE); }

ptrdiff_t bw_write(int fd, const void *buf, size_t n) {
  return bw_write_until(fd, buf, n, BW_NO_DEADLINE);
}

// ---- accept, connect, close ---------------------------------------------------------------------

int bw__accept_with(int fd, struct sockaddr *addr, unsigned *len, bw__io_waits *w) {
  for (;;) {
    int got = bw__port_fd_accept_try(fd, addr, len);
    if (got != BW_EAGAIN) return got;
    int ready = w->wait(w, fd, BW_POLL_READ);
    if (ready < 0) return ready;
  }
}

int bw_accept_until(int fd, struct sockaddr *addr, unsigned *len, int64_t deadline) {
  with_deadline w = until(deadline);
  return bw__accept_with(fd, addr, len, &w.waits);
}

int bw_accept(int fd, struct sockaddr *addr, unsigned *len) {
  return bw_accept_until(fd, addr, len, BW_NO_DEADLINE);
}

// A Unix socket's connect to a listener whose queue is full cannot be waited for by any poller.
enum { RETRY_LEAST = 50 * 1000, RETRY_MOST = 10 * 1000 * 1000 };

int bw__connect_with(int fd, const struct sockaddr *addr, unsigned len, bw__io_waits *w) {
  int64_t pause = RETRY_LEAST;
  for (int code; (code = bw__port_fd_connect_start(fd, addr, len)) != BW_EAGAIN;) {
    if (code != BW_ESTATE) return code;
    code = w->pause(w, pause);
    if (code != 0) return code;
    if (pause < RETRY_MOST) pause *= 2;
  }
  int ready = w->wait(w, fd, BW_POLL_WRITE);
  return ready < 0 ? ready : bw__port_fd_connect_end(fd);
}

int bw_connect_until(int fd, const struct sockaddr *addr, unsigned len, int64_t deadline) {
  with_deadline w = until(deadline);
  return bw__connect_with(fd, addr, len, &w.waits);
}

int bw_connect(int fd, const struct sockaddr *addr, unsigned len) {
  return bw_connect_until(fd, addr, len, BW_NO_DEADLINE);
}

typedef struct {
  int fd, result;
} close_call;

static void close_on_thread(void *arg) {
  close_call *c = arg;
  c->result = bw__poll_close_fd(c->fd);
}

int bw_close_fd(int fd) {
  if (!bw__port_capabilities.polls) return BW_ENOTSUP;
  close_call c = {.fd = fd};
  bw_blocking(close_on_thread, &c);
  return c.result;
}
