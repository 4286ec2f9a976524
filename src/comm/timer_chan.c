// Timers with a channel: bw_timer_make, bw_after, tickers. And what a program calls on a bw_timer
// of either kind.
//
// A *clock* lies behind the ring of its channel, in one block, and the block lives as long as the
// channel has references: a bw_timer or bw_ticker is one of them, and what bw_after gives is the
// channel itself. So a timer and its channel cannot outlive each other, whoever lets go first.
//
// The channel has a slot for one value and shows none: its len and cap are 0 (Go since 1.23). Into
// the slot goes what is due, or straight to a receiver that waits; with the slot full it is
// dropped, which only happens to ticks.
//
// Invariants, under the channel's lock:
//   K1  armed => `due` is when the next value comes. Nothing is sent that is not armed, or before
//       it is due
//   K2  armed => the bw__timer is pending or in flight (K4), and not later than `due`; a ticker's
//       is on the same grid
//   K3  of one that fires once: armed => the slot is empty
//   K4  but for those that were armed when a run ended: their timers fire no more
//
// Stop and reset hold the channel's lock from their first look until the bw__timer is stopped or
// started, so of several at once the last one to change the clock is the last one to change the
// timer. Then the slot is empty, and what was in it counts as not fired, as it was never received.
//
// Race story. `fire` runs without the lock, on an M without a goroutine, and locks the channel
// first. Meanwhile anything may happen, and one question decides: armed, and due by the time at
// which the firing began?
//
//   - stop came first: not armed, nothing is sent. Stop has said true, rightly, for nothing was.
//   - reset came first: the new time is later than this firing: not due. Another one will come,
//     since reset has started the timer (K2). Or the new time is not later, as reset read the clock
//     before the firing did: then this firing sends the new value, in time, and the other one finds
//     nothing armed, or a later due. Either way a value an arming.
//   - a receiver took the value first, by `overdue`: not armed, or due later.
//   - fire came first: a value is in the slot, and stop or reset take it out again; or it was
//     handed to a receiver, and then the timer has fired.
//
// A select holds this lock and others, fire only this one, and releases it before it wakes anybody.
//
// A ticker's bw__timer is periodic, and moves on by itself, before fire is called: by the same rule
// (bw__timer_after_missed) and from the same grid, unless a reset comes in between, which sets both
// anew. A firing that is not due leaves `due` alone; then the timer's next time is still the first
// on the grid after now, and `due` is on the grid and after now: K2.
//
// The end. The last release of the channel drops the timer, which waits for a fire in flight. It
// waits for one that waits for the channel's lock, which nobody holds: a call on a channel needs a
// reference. Nothing that fire calls releases a channel: it would wait for itself.
//
// Rejected: a value in the heap of timers only when somebody receives, as Go has it. It spares a
// forgotten ticker its firings, but makes each receive start and stop a timer; here a program has
// an end for each timer, and a deadline (select.h) for most of what timers are used for.
//
// Locks: the channel's, then those of timers.
#include "comm/chan_state.h"
#include "sched/after.h"
#include "sched/sched.h"
#include "sched/unwind.h"

#include <burrow/go.h>

typedef struct {
  bw_timer timer;
  bw_chan *chan;  // r/o
  bool armed;     // under the channel's lock, as all that follows
  int64_t due;    // the next value; sent as it is
  int64_t period; // 0: once
} clockwork;

enum { BEHIND_RING = 16 }; // of one int64_t; keeps the alignment

static clockwork *of_timer(bw_timer *t) { return BW_CONTAINER(t, clockwork, timer); }

static clockwork *of_ticker(bw_ticker *t) { return (clockwork *)t; }

// ---- firing -------------------------------------------------------------------------------------

// A ticker's value that finds the slot full is dropped.
static void send_due_locked(clockwork *k, int64_t now, bw__sudog **wake) {
  if (!k->armed || now < k->due) return;
  bw__chan_send_locked(k->chan, &k->due, wake);
  k->armed = k->period > 0;
  if (k->armed) k->due = bw__timer_after_missed(k->due, k->period, now);
}

static void fire(bw__timer *t, int64_t now) {
  clockwork *k = BW_CONTAINER(t, clockwork, timer.timer);
  bw_chan *c = k->chan;
  bw__sudog *wake = NULL;
  bw__chan_lock(c);
  send_due_locked(k, now, &wake);
  bw__chan_finish(c, 0, wake);
}

bool bw__timer_chan_overdue(bw_chan *c) {
  clockwork *k = c->owner;
  int64_t now = bw__port_now();
  bw__sudog *wake = NULL;
  bw__chan_lock(c);
  if (bw__timer_live(&k->timer.timer)) send_due_locked(k, now, &wake); // K4
  bool filled = bw__shared_load(&c->count) > 0;
  bw__chan_finish(c, 0, wake);
  return filled;
}

// ---- made and freed -----------------------------------------------------------------------------

static void free_clock(bw_chan *c, void *owner) {
  (void)c;
  bw__timer_drop(&((clockwork *)owner)->timer.timer);
}

static void arm_locked(clockwork *k, int64_t ns, int64_t period) {
  k->armed = true;
  k->due = bw__timer_from_now(ns);
  k->period = period;
  bw__timer_start(&k->timer.timer, k->due, period);
}

// With one reference to its channel. NULL: no memory, or no runtime.
static clockwork *make(int64_t ns, int64_t period) {
  if (!bw__timers_here()) return NULL;
  size_t tail = BEHIND_RING - sizeof(int64_t) + sizeof(clockwork);
  bw_chan *c = bw__chan_make(sizeof(int64_t), 1, tail);
  if (!c) return NULL;
  clockwork *k = (clockwork *)(c->ring + BEHIND_RING);
  bw__timer_init(&k->timer.timer, fire);
  k->chan = c;
  c->owner = k;
  c->on_free = free_clock;
  bw__shared_store(&c->flags, BW_CHAN_RECV_ONLY);
  arm_locked(k, ns, period); // nobody else has it yet, and the start publishes it
  return k;
}

// ---- stop and reset -----------------------------------------------------------------------------

// From here on nothing of the time before can be received. True: something was to come or was
// there.
static bool disarm_locked(clockwork *k) {
  bool pending = k->armed && bw__timer_live(&k->timer.timer); // K4
  bool unreceived = bw__shared_load(&k->chan->count) > 0;
  k->armed = false;
  if (unreceived) bw__ring_take_value(k->chan, NULL);
  return pending || unreceived;
}

static bool stop(clockwork *k) {
  bw__chan_lock(k->chan);
  bool was_pending = disarm_locked(k);
  bw__timer_stop(&k->timer.timer);
  bw__chan_unlock(k->chan);
  return was_pending;
}

static bool reset(clockwork *k, int64_t ns, int64_t period) {
  bw__chan_lock(k->chan);
  bool was_pending = disarm_locked(k);
  arm_locked(k, ns, period);
  bw__chan_unlock(k->chan);
  return was_pending;
}

// ---- timers: the public face --------------------------------------------------------------------

bw_timer *bw_timer_make(int64_t ns) {
  clockwork *k = make(ns, 0);
  return k ? &k->timer : NULL;
}

bw_chan *bw_after(int64_t ns) {
  clockwork *k = make(ns, 0);
  return k ? k->chan : NULL;
}

// `fn` stays what it is until the timer is released.
static bool has_chan(const bw_timer *t) { return t->timer.fn == fire; }

bw_chan *bw_timer_chan(bw_timer *t) { return t && has_chan(t) ? of_timer(t)->chan : NULL; }

bool bw_timer_stop(bw_timer *t) {
  if (!t) bw__panic("time: Stop called on uninitialized Timer");
  return has_chan(t) ? stop(of_timer(t)) : bw__after_stop(t);
}

bool bw_timer_reset(bw_timer *t, int64_t ns) {
  if (!t) bw__panic("time: Reset called on uninitialized Timer");
  if (BW_UNLIKELY(!bw__sched_state.running)) return false;
  return has_chan(t) ? reset(of_timer(t), ns, 0) : bw__after_reset(t, ns);
}

void bw_timer_release(bw_timer *t) {
  if (!t) return;
  if (has_chan(t))
    bw_chan_release(of_timer(t)->chan);
  else
    bw__after_release(t);
}

// ---- tickers: the public face -------------------------------------------------------------------

bw_ticker *bw_ticker_make(int64_t ns) {
  if (ns <= 0) bw__panic("non-positive interval for NewTicker");
  return (bw_ticker *)make(ns, ns);
}

bw_chan *bw_tick(int64_t ns) {
  clockwork *k = ns > 0 ? make(ns, ns) : NULL;
  return k ? k->chan : NULL;
}

bw_chan *bw_ticker_chan(bw_ticker *t) { return t ? of_ticker(t)->chan : NULL; }

void bw_ticker_stop(bw_ticker *t) {
  if (t) stop(of_ticker(t));
}

void bw_ticker_reset(bw_ticker *t, int64_t ns) {
  if (ns <= 0) bw__panic("non-positive interval for Ticker.Reset");
  if (!t) bw__panic("time: Reset called on uninitialized Ticker");
  if (bw__sched_state.running) reset(of_ticker(t), ns, ns);
}

void bw_ticker_release(bw_ticker *t) {
  if (t) bw_chan_release(of_ticker(t)->chan);
}
