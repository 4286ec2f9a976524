// Clock, environment, output and the end of the program.
#include "port/port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "include/burrow/error.h"

int64_t bw__port_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void bw__port_sleep_until(int64_t when_ns) {
  struct timespec t = {when_ns / 1000000000, when_ns % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

// Not for a program that runs with more rights than its caller.
const char *bw__port_env(const char *name) { return secure_getenv(name); }

uint64_t bw__port_seed(void) {
  uint64_t bits = 0;
  const void *at = (const void *)getauxval(AT_RANDOM); // 16 bytes, which libc's guards use too
  if (at) memcpy(&bits, (const char *)at + 4, sizeof bits);
  return bits;
}

bool bw__port_write(int fd, const char *data, size_t n) {
  while (n > 0) {
    ssize_t done = write(fd, data, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    data += done;
    n -= (size_t)done;
  }
  return true;
}

int bw__port_file_create(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  return fd < 0 ? BW_EINVAL : fd;
}

void bw__port_file_close(int fd) { close(fd); }

int bw__port_process_id(void) { return getpid(); }

_Noreturn void bw__port_exit(int status) { _exit(status); }
