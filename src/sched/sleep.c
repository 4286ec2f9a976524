// Sleeping goroutines. A sleeper's timer lies on its own stack, needs no memory, and parts from it
// with the call that readies the goroutine. The goroutine parks with the heap's lock, so the timer
// cannot run before the goroutine's context is saved.
#include "sched/sched.h"
#include "sched/timers.h"

typedef struct {
  bw__timer timer;
  bw__waiter waiter;
} sleeper;

static void wake(bw__timer *t, int64_t now) {
  (void)now;
  bw__waiter_ready(&BW_CONTAINER(t, sleeper, timer)->waiter);
}

void bw_sleep(int64_t ns) {
  if (ns <= 0) return;
  int64_t until = bw__timer_from_now(ns);
  if (!bw__g_current()) {
    bw__port_sleep_until(until);
    return;
  }
  sleeper s;
  bw__timer_init_parting(&s.timer, wake);
  bw__waiter_init(&s.waiter);
  bw__wait(&s.waiter, bw__timer_start_held(&s.timer, until), BW_REASON_SLEEP);
}

int64_t bw_now(void) { return bw__port_now(); }
