// The arithmetic of the clock that runs ahead (clock.c), apart from any real clock: what a record
// says, what is learnt from two looks, whether a record has kept its word. Times of the processor's
// counter are "ticks".
//
// A record is good for BW_CLOCK_PIECE ticks after a look at the real clock, and says
//
//   ns of the look + BW_CLOCK_MARGIN + ticks since *before* the look * rate
//
// where `rate` is 1/8 more than the ns that a tick takes. Why that is never behind:
//
//   slew        The system may let its clock run up to 10.05 % faster than the counter would have
//               it (adjtimex: tick and frequency at their limits, and some daemons do go there).
//               The rate is learnt from CLOCK_MONOTONIC_RAW, which is never slewed.
//   learning    is wrong by at most 2 * BW_CLOCK_LEARN_WINDOW / BW_CLOCK_LEARN_LEAST = 0.4 %;
//               1.1005 * 1.004 < 1.125.
//   the look    The real clock was read at some time between `before` and `after`: to count from
//               `before` is to count too much. If the two are far apart, because the thread lost
//               its core in between, the look is not kept.
//   the margin  The processor may read its counter earlier than what stands before it in the
//               program, for as long as that waits for memory: say for the word by which another
//               thread tells what the time is. (A misprediction, a page fault or an interrupt
//               undoes the reading.) Two threads that do nothing but tell each other the time have
//               been seen to read it up to 0.9 us too early, a few times in 200 million;
//               hardly ever is it more than 0.1 us. A fence before the reading would end that, and
//               cost as much as the whole look at the system's clock, for it is what that look is
//               spent on. A thread is never behind what it has read itself: that reading waited for
//               all before it.
//
// And never ahead by more than BW_CLOCK_MARGIN + (BW_CLOCK_WINDOW * 1.125 + BW_CLOCK_PIECE / 8)
// ticks, and a tenth of a piece when the system slews its clock down: 1.4 us at 2.6 GHz. At 1 GHz,
// below which a counter is not used, that is still less than BW_PORT_AHEAD_MOST.
//
// A record's times never go back: `last` is what it said last, and it says more each time. So of
// two equal waits that asked one record the one that began first ends first. Two records differ by
// as much as they may be ahead.
#ifndef BURROW_PORT_POSIX_CLOCK_H
#define BURROW_PORT_POSIX_CLOCK_H

#include "port/port.h"

enum {
  BW_CLOCK_PIECE = 4096,           // ticks
  BW_CLOCK_WINDOW = 384,           // ticks: a look that is kept took less
  BW_CLOCK_MARGIN = 1000,          // ns: a word of memory takes less
  BW_CLOCK_LEARN_WINDOW = 4096,    // ticks: the same for a look that is learnt from
  BW_CLOCK_LEARN_LEAST = 1 << 21,  // ticks between the two of them
  BW_CLOCK_CHECK_WITHIN = 1 << 27, // ticks: an older record is not held to its word
};
#define BW_CLOCK_LEARN_MOST ((uint64_t)1 << 32)

// What all records share. `rate` is BW_CLOCK_OFF, BW_CLOCK_LEARNS, or the rate, 2^32 of which are a
// ns a tick. OFF -> LEARNS once (bw__port_clock_open), LEARNS -> a rate once, by whoever is first,
// a rate -> OFF for good. The word stands for itself, so all accesses are relaxed; read in each
// call, so it has a line of its own.
typedef struct {
  _Alignas(BW_CACHE_LINE) _Atomic(uint64_t) rate;
} bw__clock;
enum { BW_CLOCK_OFF, BW_CLOCK_LEARNS };
#define BW_CLOCK_RATE_LEAST ((uint64_t)1 << 28) // 16 GHz
#define BW_CLOCK_RATE_MOST  ((uint64_t)9 << 29) // 1 GHz

// The real clock read at a time between two readings of the counter.
typedef struct {
  uint64_t before;
  int64_t ns;
  uint64_t after;
} bw__clock_look;

// A counter that went back makes a number of ticks that is huge.
static inline bool bw__clock_is_tight(const bw__clock_look *l, uint64_t ticks) {
  return l->after - l->before < ticks;
}

static inline int64_t bw__clock_say(bw__port_clock *c, int64_t ns) {
  return c->last = ns > c->last ? ns : c->last + 1;
}

// Whether the record may be asked without a look.
static inline bool bw__clock_is_fresh(const bw__port_clock *c, uint64_t tsc) {
  return tsc - c->tsc < BW_CLOCK_PIECE;
}

// What the record says by itself. Ticks * rate stay below 2^60, for less than
// BW_CLOCK_CHECK_WITHIN.
static inline int64_t bw__clock_reckon(const bw__port_clock *c, uint64_t tsc, uint64_t rate) {
  return c->ns + (int64_t)((tsc - c->tsc) * rate >> 32);
}

static inline bool bw__clock_has_kept_word(const bw__port_clock *c, const bw__clock_look *l,
                                           uint64_t rate) {
  if (l->after - c->tsc >= BW_CLOCK_CHECK_WITHIN) return true;
  return bw__clock_reckon(c, l->after, rate) - BW_CLOCK_MARGIN >= l->ns;
}

// The time by a new look, which the record keeps if it may. One that does not show what the counter
// was thought to be ends all reckoning.
static inline int64_t bw__clock_renew(bw__port_clock *c, const bw__clock_look *l,
                                      bw__clock *shared) {
  uint64_t rate = bw__load_relaxed(&shared->rate);
  if (rate > BW_CLOCK_LEARNS && !bw__clock_has_kept_word(c, l, rate)) {
    bw__store_relaxed(&shared->rate, BW_CLOCK_OFF);
    rate = BW_CLOCK_OFF;
  }
  if (rate <= BW_CLOCK_LEARNS || !bw__clock_is_tight(l, BW_CLOCK_WINDOW)) {
    c->tsc = 0; // long ago
    return bw__clock_say(c, l->ns);
  }
  c->tsc = l->before;
  c->ns = l->ns + BW_CLOCK_MARGIN;
  return bw__clock_say(c, bw__clock_reckon(c, l->after, rate));
}

// True: a look at the clock that is never slewed is wanted.
static inline bool bw__clock_wants_to_learn(const bw__port_clock *c, uint64_t tsc) {
  return !c->learn_tsc || tsc - c->learn_tsc >= BW_CLOCK_LEARN_LEAST;
}

// Such a look: the first one is kept in the record, the second one tells the rate. The two in one
// record, so that nothing is shared; what lies more than seconds apart may have a sleep of the
// whole machine in it, and is a first one again.
static inline void bw__clock_learn(bw__port_clock *c, const bw__clock_look *l, bw__clock *shared) {
  if (!bw__clock_is_tight(l, BW_CLOCK_LEARN_WINDOW)) return;
  uint64_t ticks = l->before - c->learn_tsc, learns = BW_CLOCK_LEARNS;
  if (c->learn_tsc && ticks < BW_CLOCK_LEARN_LEAST) return;
  if (!c->learn_tsc || ticks >= BW_CLOCK_LEARN_MOST) {
    c->learn_tsc = l->before;
    c->learn_ns = l->ns;
    return;
  }
  double rate = (double)(l->ns - c->learn_ns) / (double)ticks * 1.125 * 4294967296.0;
  bool good = rate >= (double)BW_CLOCK_RATE_LEAST && rate <= (double)BW_CLOCK_RATE_MOST;
  bw__cas(&shared->rate, &learns, good ? (uint64_t)rate : BW_CLOCK_OFF);
}

// This process's.
extern bw__clock bw__clock_shared;

#endif
