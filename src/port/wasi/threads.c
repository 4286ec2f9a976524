// There is one thread. Starting another is unsupported; waiting for another would be for ever.
#include "port/port.h"

#include "include/burrow/error.h"

int bw__port_thread_start(bw__port_thread *t, void (*run)(void *), void *arg) {
  (void)t;
  (void)run;
  (void)arg;
  return BW_ENOTSUP;
}

void bw__port_thread_join(bw__port_thread *t) { (void)t; }

void bw__port_thread_yield(void) {}

int bw__port_cpu_count(void) { return 1; }

void bw__port_thread_at_exit(void (*fn)(void)) { (void)fn; } // the program's end is the thread's

void bw__port_futex_wait(_Atomic(uint32_t) *word, uint32_t expected, int64_t timeout_ns) {
  if (bw__load_relaxed(word) != expected) return;
  if (timeout_ns >= 0) {
    bw__port_sleep_until(bw__port_now() + timeout_ns);
    return;
  }
  static const char text[] = "fatal error: the only thread would wait for ever\n";
  bw__port_write(2, text, sizeof text - 1);
  bw__port_exit(2);
}

void bw__port_futex_wake(_Atomic(uint32_t) *word, uint32_t n) {
  (void)word;
  (void)n;
}

bool bw__port_may_block(void) { return true; }
