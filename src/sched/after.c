// AfterFunc: a timer that starts a goroutine, and belongs to the program.
//
// No memory for the goroutine. A firing that cannot start its goroutine makes the timer pending
// again, for a millisecond later. It may be pending already: the program reset it in between. Then
// the firing is counted in `extra`. So a pending arming always stands for one goroutine, `extra`
// for more of them, and one rule holds: when extra > 0 the timer is pending, or somebody is in
// `rearm`.
//
// Stop against a firing that fails:
//
//     stop                            firing
//     A1 pending -> STOPPED           B1 extra + 1
//     A2 load extra: if > 0, rearm    B2 rearm: cannot arm, for it is pending: leaves it so
//
// All are sequentially consistent. If B2 saw it pending, then B1 came before A1, and A2 sees it.
#include "sched/after.h"

#include "sched/sched.h"

#include <burrow/alloc.h>

typedef struct {
  bw_timer timer; // its `extra`: see above
  void (*fn)(void *arg);
  void *arg;
} after;

static after *owner(bw__timer *t) { return BW_CONTAINER(t, after, timer.timer); }

static bool launch(after *a) { return bw_go(a->fn, a->arg) == 0; }

static bool take_extra(bw__timer *t) {
  uint32_t n = bw__load(&t->extra);
  while (n > 0)
    if (bw__cas(&t->extra, &n, n - 1)) return true;
  return false;
}

// Turns one of `extra` into an arming, unless there is one.
static BW_NOINLINE void rearm(bw__timer *t, int64_t ns) {
  while (take_extra(t)) {
    if (bw__timer_start_idle(t, bw__timer_from_now(ns))) return;
    bw__add(&t->extra, 1);
    if (bw__timer_pending(t)) return;
  }
}

static void fire(bw__timer *t, int64_t now) {
  (void)now;
  bool launched = launch(owner(t));
  if (!launched) bw__add(&t->extra, 1);
  if (BW_UNLIKELY(bw__load(&t->extra) > 0)) rearm(t, launched ? 0 : BW_MILLISECOND);
}

// The owner has gone, so nobody else looks at the timer.
static void fire_last(bw__timer *t, int64_t now) {
  if (now == BW_NEVER) { // the run is over
    bw_free(owner(t));
    return;
  }
  bool launched = launch(owner(t));
  if (!launched)
    bw__timer_start(t, bw__timer_from_now(BW_MILLISECOND), 0);
  else if (take_extra(t))
    bw__timer_start(t, bw__timer_from_now(0), 0);
  else
    bw_free(owner(t));
}

bw_timer *bw_after_func(int64_t ns, void (*fn)(void *arg), void *arg) {
  if (!fn) bw__fatal("go of nil func value");
  if (!bw__timers_here()) return NULL;
  after *a = bw_malloc(sizeof *a);
  if (!a) return NULL;
  bw__timer_init(&a->timer.timer, fire);
  a->fn = fn;
  a->arg = arg;
  bw__timer_start(&a->timer.timer, bw__timer_from_now(ns), 0);
  return &a->timer;
}

bool bw__after_stop(bw_timer *t) {
  bool was_pending = bw__timer_stop(&t->timer);
  if (BW_UNLIKELY(bw__load(&t->timer.extra) > 0)) rearm(&t->timer, 0);
  return was_pending;
}

bool bw__after_reset(bw_timer *t, int64_t ns) {
  return bw__timer_start(&t->timer, bw__timer_from_now(ns), 0);
}

void bw__after_release(bw_timer *t) {
  if (!bw__timer_let_go(&t->timer, fire_last)) bw_free(owner(&t->timer));
}
