/// @file io.h  File descriptors that park the goroutine: read, write, accept, connect.
///
/// A server that sends back what it gets. Natively:
///
///     static void echo(void *arg) {
///       int fd = (int)(intptr_t)arg;
///       char buf[4096];
///       for (ptrdiff_t n; (n = bw_read(fd, buf, sizeof buf)) > 0;)
///         if (bw_write(fd, buf, n) < n) break;
///       bw_close_fd(fd);
///     }
///
///     for (int fd; (fd = bw_accept(listener, NULL, NULL)) >= 0;)
///       bw_go(echo, (void *)(intptr_t)fd);
///
/// The calls do what read(2), write(2), accept(2), connect(2) and poll(2) do to a file that blocks,
/// but it is the goroutine that waits, not its thread: thousands wait on one thread. On a plain
/// thread they block the thread. Linux only; elsewhere each returns BW_ENOTSUP.
///
/// Results. What the call says when it succeeds (>= 0), or a negative code. A code at or below
/// BW_ESYSTEM is the system's, and bw_errno() tells its errno: `if (bw_errno(n) == ECONNRESET)`.
/// The variable errno means nothing. The other codes:
///
///     - BW_ETIMEDOUT  the deadline has passed
///     - BW_ECLOSED    bw_close_fd closed the descriptor while the goroutine waited
///     - BW_EINVAL     an argument makes no sense
///     - BW_ENOTSUP    not on this target
///
/// Deadlines (the `_until` forms) are points on bw_now()'s clock. With one that has passed (0, say)
/// a call does what can be done at once. A call that finds its file ready ignores the deadline.
///
/// Which descriptors. Any: sockets, pipes, terminals, eventfds, timerfds... O_NONBLOCK need not be
/// set, and is changed by bw_accept only, which sets it on the listener. Sockets and files with
/// O_NONBLOCK never hold a thread. Other files (a pipe without the flag, a disk's) are read and
/// written as by bw_blocking once they are ready, pipes and terminals in pieces of PIPE_BUF bytes;
/// with one reader and one writer to a pipe that does not block either.
///
/// Closing. bw_close_fd wakes those who wait. close(2) does as well as long as nobody waits for
/// the descriptor at the time; whoever does then may wait for ever. As always, it is the program's
/// task that nobody uses a number after it was closed and may be another file's.
///
/// Signals. Writing to a socket whose other side is gone is an EPIPE without a SIGPIPE. Other files
/// (pipes) send the signal as write(2) does: a program that does not want it ignores SIGPIPE.
/// A call that a signal interrupts goes on.
///
/// Any number of goroutines may wait for one descriptor; when it becomes ready all of them look.
/// While a goroutine waits for one, "all goroutines are asleep" is not a deadlock. A child after
/// fork() must not use these calls.
#ifndef BURROW_IO_H
#define BURROW_IO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// No deadline.
#define BW_NO_DEADLINE INT64_MAX

enum {
  BW_POLL_READ = 1,  ///< a read, or an accept, will not block
  BW_POLL_WRITE = 2, ///< a write will not block
};

/// Waits until a call on `fd` would not block: for BW_POLL_READ, BW_POLL_WRITE or both. Returns
/// those bits of `events` that it is ready for, at least one. End of file, an error and the other
/// side's hanging up count as ready, since a call would return. Disks' files are always ready. May
/// park.
int bw_poll_fd(int fd, unsigned events, int64_t deadline);

/// Reads what is there, at most `n` bytes; waits until there is something. 0: end of file (or n ==
/// 0). May park.
ptrdiff_t bw_read(int fd, void *buf, size_t n);
ptrdiff_t bw_read_until(int fd, void *buf, size_t n, int64_t deadline);

/// Writes all `n` bytes. Returns fewer when something came in between (an error, the deadline,
/// bw_close_fd) after some were written; what it was, the next call will tell. May park.
ptrdiff_t bw_write(int fd, const void *buf, size_t n);
ptrdiff_t bw_write_until(int fd, const void *buf, size_t n, int64_t deadline);

/// Accepts a connection and returns its descriptor, which is close-on-exec and without O_NONBLOCK.
/// `addr` and `len` as for accept(2). May park.
struct sockaddr; // of <sys/socket.h>, whose socklen_t is unsigned; not included for its names
int bw_accept(int fd, struct sockaddr *addr, unsigned *len);
int bw_accept_until(int fd, struct sockaddr *addr, unsigned *len, int64_t deadline);

/// Connects; 0 when the connection is made. After BW_ETIMEDOUT or BW_ECLOSED close the socket. May
/// park.
int bw_connect(int fd, const struct sockaddr *addr, unsigned len);
int bw_connect_until(int fd, const struct sockaddr *addr, unsigned len, int64_t deadline);

/// Closes `fd`. Goroutines that wait for it return BW_ECLOSED. Plain threads that do are not woken.
/// 0, or a code when the system says that data may be lost (EIO, say): closed it is in any case,
/// but for EBADF. A socket that lingers (SO_LINGER) keeps the caller only: its number is free, and
/// those who waited run, at once. (Such a file has a second descriptor until the call returns.) May
/// park.
int bw_close_fd(int fd);

#ifdef __cplusplus
}
#endif
#endif
