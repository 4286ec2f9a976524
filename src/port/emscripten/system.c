// Clock, environment, output and the end of the program.
#include "port/port.h"

#include "include/burrow/error.h"
#include "port/emscripten/host.h"

#include <stdlib.h>

int64_t bw__port_now(void) { return bw_host_now(); }

void bw__port_sleep_until(int64_t when_ns) {
  static _Atomic(uint32_t) never;
  for (int64_t left; (left = when_ns - bw__port_now()) > 0;) {
    if (bw__port_may_block()) bw__port_futex_wait(&never, 0, left);
  }
}

const char *bw__port_env(const char *name) { return getenv(name); }

bool bw__port_write(int fd, const char *data, size_t n) {
  bw_host_write(fd, data, n);
  return true;
}

int bw__port_file_create(const char *path) {
  (void)path;
  return BW_ENOTSUP; // Emscripten's file system would come with every program
}

void bw__port_file_close(int fd) { (void)fd; }

int bw__port_process_id(void) { return 0; }

_Noreturn void bw__port_exit(int status) { bw_host_exit(status); }
