// The kernel's futex. Private: the words are never shared between processes.
#include "port/port.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void bw__port_futex_wait(_Atomic(uint32_t) *word, uint32_t expected, int64_t timeout_ns) {
  struct timespec t = {timeout_ns / 1000000000, timeout_ns % 1000000000};
  int saved = errno;
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns < 0 ? NULL : &t, NULL, 0);
  errno = saved;
}

void bw__port_futex_wake(_Atomic(uint32_t) *word, uint32_t n) {
  int saved = errno;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n > 0x7fffffff ? 0x7fffffff : n, NULL, NULL, 0);
  errno = saved;
}

bool bw__port_may_block(void) { return true; }
