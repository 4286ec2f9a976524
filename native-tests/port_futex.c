// The futex, straight from the port.
#include "test.h"

#include "base/atomics.h"
#include "port/port.h"

enum { ROUNDS = 1000 };

typedef struct {
  _Atomic(uint32_t) turn; // 0: the first one's, 1: the other's
  int64_t rounds;         // that the other has counted
} table;

static void wait_for_turn(table *t, uint32_t turn) {
  for (uint32_t now; (now = bw__load(&t->turn)) != turn;) bw__port_futex_wait(&t->turn, now, -1);
}

static void pass_turn(table *t, uint32_t turn) {
  bw__store(&t->turn, turn);
  bw__port_futex_wake(&t->turn, 1);
}

static void other(void *arg) {
  table *t = arg;
  int64_t i = 0;
  for (; i < ROUNDS; i++) {
    wait_for_turn(t, 1);
    pass_turn(t, 0);
  }
  t->rounds = i;
}

// On wasm an engine is known that loses 64-bit locals of the function that waits: then this loop
// never ends, or ends early.
THREADS_TEST(port_futex_keeps_its_callers_values) {
  table t = {0, 0};
  bw__port_thread thread;
  CHECK_EQ(bw__port_thread_start(&thread, other, &t), 0);
  int64_t i = 0;
  for (; i < ROUNDS; i++) {
    pass_turn(&t, 1);
    wait_for_turn(&t, 0);
  }
  bw__port_thread_join(&thread);
  CHECK_EQ(i, ROUNDS);
  CHECK_EQ(t.rounds, ROUNDS);
}

THREADS_TEST(port_futex_times_out) {
  _Atomic(uint32_t) word = 7;
  int64_t start = bw_now();
  while (bw_now() - start < 2 * BW_MILLISECOND) bw__port_futex_wait(&word, 7, BW_MILLISECOND);
  bw__port_futex_wait(&word, 8, -1); // another value: does not sleep
}
