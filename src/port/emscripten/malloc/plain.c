// Emscripten without threads: nobody to wait for, and JavaScript's views of the memory must be told
// when it has grown (growing detaches its buffer).
#include "port/port.h"

#include <emscripten/heap.h>

#include "port/emscripten/host.h"
#include "port/wasm/memory.h"

// Emscripten's JavaScript library has it, for modules that grow memory by themselves.
void emscripten_notify_memory_growth(size_t memory_index);

void bw__port_mem_grown(void) { emscripten_notify_memory_growth(0); }

void bw__port_thread_at_exit(void (*fn)(void)) { (void)fn; } // the program's end is the thread's

// A lock that the only thread waits for is one that it holds.
void bw__port_futex_wait(_Atomic(uint32_t) *word, uint32_t expected, int64_t timeout_ns) {
  (void)word;
  (void)expected;
  if (timeout_ns < 0) __builtin_trap();
}

void bw__port_futex_wake(_Atomic(uint32_t) *word, uint32_t n) {
  (void)word;
  (void)n;
}

bool bw__port_may_block(void) { return true; }
