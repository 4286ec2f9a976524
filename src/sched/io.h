// The calls on file descriptors with waits of the caller's choice: what burrow/io.h has with a
// deadline, and comm/ with a context.
#ifndef BURROW_SCHED_IO_H
#define BURROW_SCHED_IO_H

#include "base/config.h"

#include <burrow/io.h>

// How a call waits. Embedded in what the functions need to know.
typedef struct bw__io_waits {
  // fd was not ready a moment ago: returns those of `events` that it is ready for, or a code that
  // ends the call. Blocks: G | M.
  int (*wait)(struct bw__io_waits *w, int fd, unsigned events);
  // Waits `ns`: 0, or a code that ends the call. Blocks: G | M.
  int (*pause)(struct bw__io_waits *w, int64_t ns);
} bw__io_waits;

// As the public functions.
int bw__poll_fd_with(int fd, unsigned events, bw__io_waits *w);
ptrdiff_t bw__read_with(int fd, void *buf, size_t n, bw__io_waits *w);
ptrdiff_t bw__write_with(int fd, const void *buf, size_t n, bw__io_waits *w);
int bw__accept_with(int fd, struct sockaddr *addr, unsigned *len, bw__io_waits *w);
int bw__connect_with(int fd, const struct sockaddr *addr, unsigned len, bw__io_waits *w);

// Takes the thread into poll(2) until `deadline` (BW_NO_DEADLINE: none), as with bw_blocking: what
// fd is ready for, or BW_ETIMEDOUT. Blocks: G | M.
int bw__io_wait_on_thread(int fd, unsigned events, int64_t deadline);

#endif
