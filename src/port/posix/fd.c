// Calls on one file descriptor that do not block, whatever the file's flags say.
//
// A socket can be asked per call not to block; for other files only O_NONBLOCK does it. That flag
// belongs to the open file, which other processes may share (a terminal, an inherited pipe), so it
// is looked at and never set. What the file is, is asked anew in each call: the program may have
// closed the descriptor by close() and opened another file under its number.
//
// All are noinline: errno's address must not be kept across a switch of goroutines.
#include "port/port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "include/burrow/error.h"

static int code_of(int error) { return BW_ESYSTEM - error; }

// Linux has one number for both names; others may not.
static ptrdiff_t result_of(ptrdiff_t result) {
  if (result >= 0) return result;
  return errno == EAGAIN || errno == EWOULDBLOCK ? BW_EAGAIN : code_of(errno);
}

// Files of which nothing can be had in this way (`never`: O_WRONLY, O_RDONLY) are not to be waited
// for: their call fails.
static bool may_block(int fd, int never) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && !(flags & O_NONBLOCK) && (flags & O_ACCMODE) != never;
}

// ---- read, write --------------------------------------------------------------------------------

BW_NOINLINE ptrdiff_t bw__port_fd_read(int fd, void *buf, size_t n) {
  ptrdiff_t got;
  do got = read(fd, buf, n);
  while (got < 0 && errno == EINTR);
  return result_of(got);
}

BW_NOINLINE ptrdiff_t bw__port_fd_read_try(int fd, void *buf, size_t n) {
  ptrdiff_t got;
  do got = recv(fd, buf, n, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got >= 0 || errno != ENOTSOCK) return result_of(got);
  return may_block(fd, O_WRONLY) ? BW_ESTATE : bw__port_fd_read(fd, buf, n);
}

BW_NOINLINE ptrdiff_t bw__port_fd_write(int fd, const void *buf, size_t n) {
  ptrdiff_t put;
  do put = write(fd, buf, n);
  while (put < 0 && errno == EINTR);
  return result_of(put);
}

BW_NOINLINE ptrdiff_t bw__port_fd_write_try(int fd, const void *buf, size_t n) {
  ptrdiff_t put;
  do put = send(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (put < 0 && errno == EINTR);
  if (put >= 0 || errno != ENOTSOCK) return result_of(put);
  return may_block(fd, O_RDONLY) ? BW_ESTATE : bw__port_fd_write(fd, buf, n);
}

// A pipe that is ready takes PIPE_BUF bytes at least. Disks are not waited for by anybody's leave.
BW_NOINLINE size_t bw__port_fd_write_most(int fd, size_t n) {
  struct stat about;
  bool disk = fstat(fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode));
  return disk || n < PIPE_BUF ? n : PIPE_BUF;
}

// ---- accept, connect, close ---------------------------------------------------------------------

// accept has no MSG_DONTWAIT, and of several that wait for one connection all but one would block.
// A connection that the other side took back while it was in the queue is no news to anybody.
BW_NOINLINE int bw__port_fd_accept_try(int fd, struct sockaddr *addr, unsigned *len) {
  int got, flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && !(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  do got = accept4(fd, addr, len, SOCK_CLOEXEC);
  while (got < 0 && (errno == EINTR || errno == ECONNABORTED));
  return (int)result_of(got);
}

// O_NONBLOCK is set while it starts. Nobody else can have any use for a
// socket that is not connected.
BW_NOINLINE int bw__port_fd_connect_start(int fd, const struct sockaddr *addr, unsigned len) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return code_of(errno);
  if (!(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  int error = connect(fd, addr, len) == 0 ? 0 : errno;
  if (!(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags);
  switch (error) {
  case 0: return 0;
  case EINPROGRESS:
  case EALREADY:
  case EINTR: return BW_EAGAIN;
  case EAGAIN: return BW_ESTATE; // Unix sockets: nothing was begun
  default: return code_of(error);
  }
}

BW_NOINLINE int bw__port_fd_connect_end(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return code_of(errno);
  return error ? code_of(error) : 0;
}

// EINTR and EINPROGRESS: the descriptor is gone all the same.
BW_NOINLINE int bw__port_fd_close(int fd) {
  if (close(fd) == 0 || errno == EINTR || errno == EINPROGRESS) return 0;
  return code_of(errno);
}

// A socket waits for its peer if it was told to linger. Pipes, and what has no place in the file
// system (eventfds, timerfds), have nothing to wait for; a terminal sends what it holds, a disk's
// file that was unlinked gives its blocks back.
static bool close_takes_long(int fd) {
  struct linger linger;
  socklen_t size = sizeof linger;
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == 0)
    return linger.l_onoff && linger.l_linger > 0;
  struct stat about;
  if (errno != ENOTSOCK || fstat(fd, &about) != 0) return false;
  return S_ISCHR(about.st_mode) || S_ISREG(about.st_mode) || S_ISBLK(about.st_mode);
}

BW_NOINLINE int bw__port_fd_keep(int fd) {
  if (!close_takes_long(fd)) return BW_ESTATE;
  int twin = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return twin >= 0 ? twin : code_of(errno);
}

// ---- waiting for one ----------------------------------------------------------------------------

static unsigned ready_for(short events) {
  unsigned ready = 0;
  if (events & (POLLIN | POLLHUP | POLLERR)) ready |= BW_FD_READ;
  if (events & (POLLOUT | POLLHUP | POLLERR)) ready |= BW_FD_WRITE;
  return ready;
}

BW_NOINLINE int bw__port_fd_wait(int fd, unsigned events, int64_t until) {
  if (fd < 0) return code_of(EBADF); // poll() would not look at it
  struct pollfd p = {.fd = fd};
  if (events & BW_FD_READ) p.events |= POLLIN;
  if (events & BW_FD_WRITE) p.events |= POLLOUT;
  for (;;) {
    int64_t left = until > 0 ? until - bw__port_now() : 0;
    if (left < 0) left = 0;
    struct timespec t = {left / 1000000000, left % 1000000000};
    int n = ppoll(&p, 1, until < 0 ? NULL : &t, NULL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return code_of(errno);
    if (p.revents & POLLNVAL) return code_of(EBADF);
    unsigned ready = n ? ready_for(p.revents) & events : 0;
    if (ready || (until >= 0 && left == 0)) return (int)ready;
  }
}
