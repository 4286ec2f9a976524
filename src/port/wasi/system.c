// WASI preview 1: one thread. What would block another target's thread sleeps on the clock here.
#include "port/port.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "include/burrow/error.h"

const bw__port_caps bw__port_capabilities = {
    .name = "wasi",
    .threads = false,
    .gives_back = false,
    .protects = false,
    .maps_stacks = false,
    .stack_size = 32 << 10,
    .main_stack = 256 << 10,
};

int64_t bw__port_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void bw__port_sleep_until(int64_t when_ns) {
  for (int64_t left; (left = when_ns - bw__port_now()) > 0;) {
    struct timespec t = {left / 1000000000, left % 1000000000};
    nanosleep(&t, NULL);
  }
}

const char *bw__port_env(const char *name) { return getenv(name); }

void bw__port_write(int fd, const char *data, size_t n) {
  while (n > 0) {
    ssize_t done = write(fd, data, n);
    if (done <= 0) return;
    data += done;
    n -= (size_t)done;
  }
}

_Noreturn void bw__port_exit(int status) { _Exit(status); }
