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

// In Node the process's clock: it takes 27 ns in place of performance.now()'s 43, has one origin for
// all workers, and is exact to the nanosecond. A BigInt, for that is what wasm takes as an i64; a
// number would go through a heap object and take 7 ns more. What is looked up is kept, once a
// thread: each getter takes 5 to 10 ns.
EM_JS(int64_t, bw_host_now, (void), {
  if (ENVIRONMENT_IS_NODE) return (bw_host_now.clock ||= process.hrtime.bigint)();
  bw_host_now.origin ||= BigInt(Math.floor(performance.timeOrigin * 1e6));
  return bw_host_now.origin + BigInt(Math.floor(performance.now() * 1e6));
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
