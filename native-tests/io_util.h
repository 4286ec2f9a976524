// What the tests of file descriptors share. Natively only: other targets have none to wait for, and
// io_not_supported is their test.
#ifndef BURROW_IO_UTIL_H
#define BURROW_IO_UTIL_H

#include "chan_util.h"

#include "port/port.h"
#include "sched/poll.h"

#if !BW_WASM
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// Two ends that are connected. A pipe's data goes from [1] to [0].
typedef enum { SOCKETS, PIPE, PIPE_NONBLOCK, KINDS } pair_kind;

static inline void pair_open(int fds[2], pair_kind kind) {
  if (kind == SOCKETS)
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  else
    CHECK_EQ(pipe2(fds, kind == PIPE_NONBLOCK ? O_NONBLOCK : 0), 0);
}

static inline void pair_close(int fds[2]) {
  CHECK_EQ(bw_close_fd(fds[0]), 0);
  CHECK_EQ(bw_close_fd(fds[1]), 0);
}

// A goroutine's or thread's work on one descriptor, and how it went.
typedef struct {
  int fd;
  unsigned events;
  int64_t deadline;
  ptrdiff_t result;
  char byte;
  atomic_bool done;
} io_call;

static inline void io_call_read(void *arg) {
  io_call *call = arg;
  call->result = bw_read_until(call->fd, &call->byte, 1, call->deadline);
  atomic_store(&call->done, true);
}

static inline void io_call_poll(void *arg) {
  io_call *call = arg;
  call->result = bw_poll_fd(call->fd, call->events, call->deadline);
  atomic_store(&call->done, true);
}

static inline void io_wait_done(io_call *call) {
  while (!atomic_load(&call->done)) bw_sleep(50 * BW_MICROSECOND);
}

// Until n goroutines, no more and no fewer, wait for descriptors. (Those that were woken are
// counted a moment longer: so wait for 0 before the next ones.)
static inline void io_wait_parked(int n) {
  while (bw__load(&bw__poll_waits) != n) bw_gosched();
}

// Reads exactly n bytes.
static inline void read_all(int fd, void *buf, size_t n) {
  for (size_t done = 0; done < n;) {
    ptrdiff_t got = bw_read(fd, (char *)buf + done, n - done);
    CHECK(got > 0);
    done += (size_t)got;
  }
}
#endif
#endif
