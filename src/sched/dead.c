// Deadlock: every M sleeps, and nobody will ever wake one.
//
// What may still wake one: a timer, a file descriptor that a goroutine waits for, a plain thread or
// JavaScript that said it will help (bw_outside_enter), a thread in a blocking call (its M does not
// sleep). When none of these exists the program can only wait for ever, and says so instead.
//
// An M that has been started but has not come round to anything counts as awake. So does a P that
// nobody holds and that is not idle: the monitor, or whoever wakes an M, has it in hand. (Whoever
// then lets it go idle after all looks again.)
#include "sched/poll.h"
#include "sched/sched.h"

// True: somebody may come and help. Without threads nobody can.
static bool helped(bw__sched *s) {
  return bw__port_capabilities.threads && bw__load(&s->outside) > 0;
}

void bw__dead_check_locked(void) {
  bw__sched *s = &bw__sched_state;
  if (!s->running || bw__load_relaxed(&s->stopping)) return;
  if (s->idle_ms + s->pinned_idle < s->m_count) return;
  if (bw__load_relaxed(&s->idle_count) < s->live) return; // one is on its way to an M
  if (helped(s) || bw__poll_wanted() || bw__timers_next_of_all() != BW_NEVER) return;
  bool nobody = bw_num_goroutine() == 0;
  bw__mutex_unlock(&s->lock);
  if (nobody && s->main_exited) bw__fatal("no goroutines (main called runtime.Goexit) - deadlock!");
  bw__fatal("all goroutines are asleep - deadlock!");
}

void bw_outside_enter(void) { bw__add(&bw__sched_state.outside, 1); }

// When the last outsider leaves, Ms that are all asleep may be in a deadlock.
void bw_outside_leave(void) {
  bw__sched *s = &bw__sched_state;
  if (bw__sub(&s->outside, 1) != 1) return;
  bw__mutex_lock(&s->lock);
  bw__dead_check_locked();
  bw__mutex_unlock(&s->lock);
}
