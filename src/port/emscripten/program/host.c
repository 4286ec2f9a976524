// The host functions for programs that Emscripten's own JavaScript runs. Not part of the npm
// package's module: there the same names are imports (web/src/host.ts).
#include "port/emscripten/host.h"

#include <emscripten/em_asm.h>
#include <emscripten/em_js.h>

// clang-format off
EM_JS(void, bw_host_print, (int fd, const char *data, size_t n), {
  wasmMemory.grow(0);
  const bytes = new Uint8Array(wasmMemory.buffer).slice(data >>> 0, (data >>> 0) + n);
  if (ENVIRONMENT_IS_NODE) {
    for (let at = 0; at < bytes.length;) {
      try {
        at += require('fs').writeSync(fd, bytes, at);
      } catch (e) {
        if (e.code !== 'EAGAIN') throw e; // a full pipe that does not block: try again
      }
    }
  } else (fd === 2 ? err : out)(new TextDecoder().decode(bytes).trimEnd());
})

// As emscripten_get_now, but the origin, whose getter takes as long as a quarter of a call, is asked
// for once a thread.
EM_JS(double, bw_host_now, (void), {
  return (bw_host_now.origin ||= performance.timeOrigin) + performance.now();
})

void bw_host_write(int fd, const char *data, size_t n) { bw_host_print(fd, data, n); }

// _exit would only set the exit code: threads keep the process alive.
_Noreturn void bw_host_exit(int status) {
  MAIN_THREAD_EM_ASM({
    if (ENVIRONMENT_IS_NODE) process.exit($0);
    PThread.terminateAllThreads();
    abort('exit status ' + $0);
  }, status);
  __builtin_trap();
}
// clang-format on
