// No file descriptors to wait for: wasm's hosts have none of their kind.
#include "port/port.h"

#include "include/burrow/error.h"

ptrdiff_t bw__port_fd_read_try(int fd, void *buf, size_t n) {
  (void)fd, (void)buf, (void)n;
  return BW_ENOTSUP;
}

ptrdiff_t bw__port_fd_read(int fd, void *buf, size_t n) {
  (void)fd, (void)buf, (void)n;
  return BW_ENOTSUP;
}

ptrdiff_t bw__port_fd_write_try(int fd, const void *buf, size_t n) {
  (void)fd, (void)buf, (void)n;
  return BW_ENOTSUP;
}

ptrdiff_t bw__port_fd_write(int fd, const void *buf, size_t n) {
  (void)fd, (void)buf, (void)n;
  return BW_ENOTSUP;
}

size_t bw__port_fd_write_most(int fd, size_t n) {
  (void)fd;
  return n;
}

int bw__port_fd_accept_try(int fd, struct sockaddr *addr, unsigned *len) {
  (void)fd, (void)addr, (void)len;
  return BW_ENOTSUP;
}

int bw__port_fd_connect_start(int fd, const struct sockaddr *addr, unsigned len) {
  (void)fd, (void)addr, (void)len;
  return BW_ENOTSUP;
}

int bw__port_fd_connect_end(int fd) {
  (void)fd;
  return BW_ENOTSUP;
}

int bw__port_fd_close(int fd) {
  (void)fd;
  return BW_ENOTSUP;
}

int bw__port_fd_keep(int fd) {
  (void)fd;
  return BW_ENOTSUP;
}

int bw__port_fd_wait(int fd, unsigned events, int64_t until) {
  (void)fd, (void)events, (void)until;
  return BW_ENOTSUP;
}

int bw__port_poll_open(void) { return BW_ENOTSUP; }

void bw__port_poll_close(void) {}

int bw__port_poll_arm(int fd, unsigned events, uint64_t token, bool armed) {
  (void)fd, (void)events, (void)token, (void)armed;
  return BW_ENOTSUP;
}

void bw__port_poll_disarm(int fd) { (void)fd; }

int bw__port_poll_wait(bw__port_poll_event *out, int64_t until) {
  (void)out, (void)until;
  return BW_ENOTSUP;
}

void bw__port_poll_break(void) {}
