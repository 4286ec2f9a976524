// The host functions for programs that take only their malloc from Burrow: in any of Emscripten's
// environments and settings, so with nothing but what its own C library is built on.
#include "port/emscripten/host.h"

#include <emscripten/console.h>
#include <emscripten/emscripten.h>
#include <stdlib.h>

void bw_host_write(int fd, const char *data, size_t n) {
  (void)fd;
  if (n > 0 && data[n - 1] == '\n') n--; // a line is what it prints
  emscripten_errn(data, n);
}

int64_t bw_host_now(void) { return (int64_t)(emscripten_get_now() * 1e6); }

_Noreturn void bw_host_exit(int status) {
  (void)status;
  abort();
}
