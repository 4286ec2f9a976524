// WASI preview 1: one thread. What would block another target's thread sleeps on the clock here.
#include "port/port.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "include/burrow/error.h"
#include "port/wasm/memory.h"

const bw__port_caps bw__port_capabilities = {
    .name = "wasi",
    .threads = false,
    .gives_back = false,
    .protects = false,
    .maps_stacks = false,
    .monitors = false,
    .polls = false,
    .stack_size = 16 << 10, // shadow stack and saved frames; printf needs 9 KB at most
    .main_stack = 256 << 10,
};

void bw__port_mem_grown(void) {} // a host of WASI looks at the memory in each call

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

bool bw__port_write(int fd, const char *data, size_t n) {
  while (n > 0) {
    ssize_t done = write(fd, data, n);
    if (done <= 0) return false;
    data += done;
    n -= (size_t)done;
  }
  return true;
}

int bw__port_file_create(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  return fd < 0 ? BW_EINVAL : fd;
}

void bw__port_file_close(int fd) { close(fd); }

int bw__port_process_id(void) { return 0; }

_Noreturn void bw__port_exit(int status) { _Exit(status); }
