// memory.atomic.wait32 and memory.atomic.notify. A browser's main thread may not wait.
#include "port/port.h"

#include "port/emscripten/host.h"

#include <emscripten/threading.h>
#include <pthread.h>

enum { UNKNOWN, MAY_BLOCK, MUST_NOT_BLOCK };

static _Thread_local uint8_t blocking;

void bw__port_set_may_block(bool may) { blocking = may ? MAY_BLOCK : MUST_NOT_BLOCK; }

BW_NOINLINE bool bw__port_may_block(void) {
  if (!__builtin_wasm_tls_base()) return false; // too early for `blocking`: spin
  if (blocking == UNKNOWN)
    bw__port_set_may_block(pthread_self() && !emscripten_is_main_runtime_thread());
  return blocking == MAY_BLOCK;
}

// In V8's baseline compiler (seen in Node 20) the wait overwrites a register that may hold a 64-bit
// local of the same function: loop counters and deadlines come out of it as 0. So the instruction
// stands in a function that has nothing to lose, with two branches that make it too large for
// wasm-opt's inliner (cmake/BurrowTargets.cmake); the empty asm keeps LLVM from making them one.
BW_NOINLINE void bw__port_futex_wait(_Atomic(uint32_t) *word, uint32_t expected,
                                     int64_t timeout_ns) {
  if (timeout_ns < 0) {
    __builtin_wasm_memory_atomic_wait32((int *)word, (int)expected, -1);
    __asm__ volatile("");
  } else {
    __builtin_wasm_memory_atomic_wait32((int *)word, (int)expected, timeout_ns);
  }
}

void bw__port_futex_wake(_Atomic(uint32_t) *word, uint32_t n) {
  __builtin_wasm_memory_atomic_notify((int *)word, n);
}
