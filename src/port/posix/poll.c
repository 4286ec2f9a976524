// The poller: Linux's epoll, and an eventfd to break a wait.
//
// Each descriptor is registered with EPOLLONESHOT: arming is one epoll_ctl, and no event comes that
// nobody waits for. The other way is to register each descriptor once, edge-triggered, for both
// directions. That saves the epoll_ctl, one of the five system calls of a message between two
// goroutines; but every change of a descriptor is then an event, whether somebody waits for it or
// not (a socket can be written to again each time its peer has read), and a descriptor that the
// program closes by close() and whose number comes back would never be registered again: a hang.
//
// The eventfd stays ready until it is read, and only the thread that waits for longer reads it: a
// thread that just looks in would else take away what wakes the other.
#include "port/port.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "include/burrow/error.h"

static struct {
  int epoll, event;    // r/o while open
  _Atomic(bool) in_ms; // the kernel is older than epoll_pwait2
} poller = {-1, -1, false};

static int close_both(int code) {
  if (poller.epoll >= 0) close(poller.epoll);
  if (poller.event >= 0) close(poller.event);
  poller.epoll = poller.event = -1;
  return code;
}

int bw__port_poll_open(void) {
  struct epoll_event e = {.events = EPOLLIN, .data.u64 = BW_POLL_BREAK};
  poller.epoll = epoll_create1(EPOLL_CLOEXEC);
  poller.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (poller.epoll < 0 || poller.event < 0 ||
      epoll_ctl(poller.epoll, EPOLL_CTL_ADD, poller.event, &e) != 0)
    return close_both(BW_ESYSTEM - errno);
  return 0;
}

void bw__port_poll_close(void) { close_both(0); }

BW_NOINLINE int bw__port_poll_arm(int fd, unsigned events, uint64_t token, bool armed) {
  struct epoll_event e = {.events = EPOLLONESHOT, .data.u64 = token};
  if (events & BW_FD_READ) e.events |= EPOLLIN;
  if (events & BW_FD_WRITE) e.events |= EPOLLOUT;
  int first = armed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, second = armed ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(poller.epoll, first, fd, &e) == 0) return 0;
  if (errno == ENOENT || errno == EEXIST) {
    if (epoll_ctl(poller.epoll, second, fd, &e) == 0) return 0;
  }
  if (errno == ENOMEM || errno == ENOSPC) return BW_ENOMEM; // ENOSPC: a limit of the user's
  return errno == EPERM ? BW_EINVAL : BW_ESYSTEM - errno;
}

BW_NOINLINE void bw__port_poll_disarm(int fd) {
  struct epoll_event unused = {0};
  epoll_ctl(poller.epoll, EPOLL_CTL_DEL, fd, &unused);
}

static int wait_for(struct epoll_event *events, int64_t until) {
  int64_t left = until > 0 ? until - bw__port_now() : 0;
  if (left < 0) left = 0;
  if (until == 0 || left == 0 || bw__load_relaxed(&poller.in_ms)) {
    int64_t ms = (left + 999999) / 1000000;
    if (ms > 60000) ms = 60000; // may be early
    return epoll_wait(poller.epoll, events, BW_POLL_MOST, until < 0 ? -1 : (int)ms);
  }
  struct timespec t = {left / 1000000000, left % 1000000000};
#ifdef SYS_epoll_pwait2
  int n = (int)syscall(SYS_epoll_pwait2, poller.epoll, events, BW_POLL_MOST, &t, NULL, 0);
  if (n >= 0 || errno != ENOSYS) return n;
#else
  (void)t;
#endif
  bw__store_relaxed(&poller.in_ms, true); // a hint
  return 0;
}

BW_NOINLINE int bw__port_poll_wait(bw__port_poll_event *out, int64_t until) {
  struct epoll_event events[BW_POLL_MOST];
  int n = wait_for(events, until), count = 0;
  for (int i = 0; i < n; i++) {
    uint32_t e = events[i].events;
    if (events[i].data.u64 == BW_POLL_BREAK) {
      uint64_t unused;
      if (until != 0 && read(poller.event, &unused, sizeof unused) < 0) continue;
      continue;
    }
    out[count].token = events[i].data.u64;
    out[count].events = 0;
    if (e & (EPOLLIN | EPOLLHUP | EPOLLERR)) out[count].events |= BW_FD_READ;
    if (e & (EPOLLOUT | EPOLLHUP | EPOLLERR)) out[count].events |= BW_FD_WRITE;
    count++;
  }
  return count;
}

BW_NOINLINE void bw__port_poll_break(void) {
  uint64_t one = 1;
  while (write(poller.event, &one, sizeof one) < 0 && errno == EINTR) {}
}
