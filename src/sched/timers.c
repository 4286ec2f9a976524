// A timer: start, stop, drop, let go. The protocol is told in timers.h.
//
// Locks: timers, for the way into and out of a heap only.
#include "sched/timers.h"

#include "port/port.h"
#include "sched/timers_heap.h"

static void init(bw__timer *t, void (*fn)(bw__timer *t, int64_t now), bool parting) {
  *t = (bw__timer){.when = BW_TIMER_FREE, .fn = fn, .parting = parting};
}

void bw__timer_init(bw__timer *t, void (*fn)(bw__timer *t, int64_t now)) { init(t, fn, false); }

void bw__timer_init_parting(bw__timer *t, void (*fn)(bw__timer *t, int64_t now)) {
  init(t, fn, true);
}

static int64_t due_time(int64_t when) {
  if (when < 0) return 0;
  return when < BW_NEVER ? when : BW_NEVER - 1;
}

// ---- start --------------------------------------------------------------------------------------

static bool in_flight(bw__timer *t) {
  return bw__load_acquire(&t->flights) & 1; // pairs with the release at the end of a flight
}

// Puts it into the heap, and makes it pending. True: `next` moved forward.
static bool enter_locked(bw__timers *ts, bw__timer *t, int64_t when) {
  bw__timers_put_locked(ts, t, when);
  bw__store_release(&t->when, when); // publishes home, slot and key to whoever's cas finds it
  if (when >= bw__load_relaxed(&ts->next)) return false;
  bw__store(&ts->next, when);
  return true;
}

// In flight it is where it was, for the sake of its runner; also when that P has left. Asked again
// under the heap's lock, so that whoever takes the lock after a flight sees all that it has caused.
static bw__timers *heap_for(bw__timer *t) {
  return in_flight(t) ? bw__load_relaxed(&t->home) : bw__timers_here();
}

// FREE -> pending. False: somebody else's start came first, or a flight began or ended meanwhile.
static bool enter(bw__timer *t, int64_t when) {
  bw__timers *ts = heap_for(t);
  int64_t w = BW_TIMER_FREE;
  bw__timers_lock(ts);
  bool mine = bw__cas(&t->when, &w, BW_TIMER_BUSY);
  if (mine && heap_for(t) != ts) {
    bw__store_release(&t->when, BW_TIMER_FREE);
    mine = false;
  }
  bool earlier = mine && enter_locked(ts, t, when);
  bw__mutex_unlock(&ts->lock);
  if (earlier) bw__timers_earlier(when);
  return mine;
}

// S3: the key is later than the timer's new time.
static BW_NOINLINE void mark(bw__timer *t, int64_t when) {
  bw__timers *ts = bw__load(&t->home);
  uint32_t slot = bw__load(&t->slot); // of the spilled no bit is needed, but it does no harm
  _Atomic(uint64_t) *word = &ts->marks[slot / 64 % BW_TIMERS_MARK_WORDS];
  uint64_t bit = (uint64_t)1 << (slot % 64);
  if (!(bw__load(word) & bit)) atomic_fetch_or(word, bit);
  for (int64_t e = bw__load(&ts->earlier); when < e;)
    if (bw__cas(&ts->earlier, &e, when)) {
      if (when < bw__load(&ts->next)) bw__timers_earlier(when);
      return;
    }
}

// pending, STOPPED -> pending: from *w, or *w is what it is now.
static inline bool change(bw__timer *t, int64_t *w, int64_t when) {
  if (BW_UNLIKELY(!bw__cas(&t->when, w, when))) return false; // S1
  if (when < bw__load(&t->key)) mark(t, when);
  if (*w == BW_TIMER_STOPPED) bw__timers_uncount_stopped(bw__load_relaxed(&t->home)); // a hint
  return true;
}

// FREE and all else; returns what it was before.
static BW_NOINLINE int64_t start_slow(bw__timer *t, int64_t w, int64_t when, bool idle_only) {
  for (unsigned rounds = 0;;) {
    if (idle_only && w >= 0) return w;
    if (w == BW_TIMER_FREE) {
      if (enter(t, when)) return w;
    } else if (w != BW_TIMER_BUSY) {
      if (change(t, &w, when)) return w;
      continue;
    }
    bw__port_relax(++rounds);
    w = bw__load_relaxed(&t->when); // the cas looks again
  }
}

// The period is published by the change of `when`. Nobody else changes it meanwhile: a timer that
// has one is started under a lock of its owner's, and with all others it is 0 for ever. So to look
// first is safe; and on wasm each atomic store is an exchange, as dear as the start's cas.
bool bw__timer_start(bw__timer *t, int64_t when, int64_t period) {
  if (BW_UNLIKELY(bw__load_relaxed(&t->period) != period)) bw__store_relaxed(&t->period, period);
  when = due_time(when);
  int64_t w = bw__load_relaxed(&t->when); // the cas looks again
  bool in_heap = w >= 0 || w == BW_TIMER_STOPPED;
  if (BW_LIKELY(in_heap && change(t, &w, when))) return w >= 0;
  return start_slow(t, w, when, false) >= 0;
}

bool bw__timer_start_idle(bw__timer *t, int64_t when) {
  return start_slow(t, bw__load_relaxed(&t->when), due_time(when), true) < 0; // the cas looks again
}

bw__mutex *bw__timer_start_held(bw__timer *t, int64_t when) {
  bw__timers *ts = bw__timers_here();
  when = due_time(when);
  bw__timers_lock(ts);
  if (enter_locked(ts, t, when)) bw__timers_earlier_parking(when);
  return &ts->lock;
}

// ---- the end ------------------------------------------------------------------------------------

// True: in no heap and not in flight, at one and the same moment; so nothing can happen to it any
// more, as nobody starts it but its fn.
static bool is_quiet(bw__timer *t) {
  uint32_t before = bw__load_acquire(&t->flights); // pairs with the end of a flight
  return !(before & 1) && bw__load(&t->when) == BW_TIMER_FREE && bw__load(&t->flights) == before;
}

// Locks the heap that the timer is in. NULL: it is in none at the moment.
static bw__timers *lock_home(bw__timer *t) {
  while (bw__load(&t->when) != BW_TIMER_FREE) {
    bw__timers *ts = bw__load(&t->home);
    bw__timers_lock(ts);
    if (ts == bw__load(&t->home) && bw__load(&t->when) != BW_TIMER_FREE) return ts;
    bw__mutex_unlock(&ts->lock); // it moved or left while we waited for the lock
  }
  return NULL;
}

bool bw__timer_drop(bw__timer *t) {
  bool was_pending = false;
  for (unsigned rounds = 0; !is_quiet(t); bw__port_relax(++rounds)) {
    bw__timers *ts = lock_home(t);
    if (!ts) continue;
    if (bw__load(&t->when) == BW_TIMER_STOPPED)
      bw__timers_uncount_stopped(ts);
    else
      was_pending = true;
    bw__timers_take_locked(ts, t);
    bw__store(&t->when, BW_TIMER_FREE);
    bw__timers_publish_locked(ts);
    bw__mutex_unlock(&ts->lock);
  }
  return was_pending;
}

bool bw__timer_let_go(bw__timer *t, void (*fn)(bw__timer *t, int64_t now)) {
  for (unsigned rounds = 0; !is_quiet(t); bw__port_relax(++rounds)) {
    bw__timers *ts = lock_home(t);
    if (!ts) continue;
    bool pending = bw__timer_pending(t);
    if (pending) {
      t->fn = fn;
      t->parting = t->let_go = true;
    }
    bw__mutex_unlock(&ts->lock);
    if (pending) return true;
    break;
  }
  bw__timer_drop(t);
  return false;
}
