// A P's run queue, the short ways: what a switch between goroutines goes through. queue.c has the
// rest: overflow, stealing, the global queue.
//
// I1: 0 <= tail - head <= BW_RING, as unsigned numbers that wrap.
// I2: slots head..tail-1 hold goroutines; who moves head past a slot owns what was in it.
// I3: tail and the slots from tail on are the owner's to write.
//
// The owner reads a slot, then moves head past it by CAS; a thief reads several slots, then does
// the same: when the CAS succeeds, nobody else took them, and the owner cannot have written over
// them, since it only writes where head has passed. A slot that was read in vain is forgotten.
//
// Pairs: tail's store (release or stronger) with its acquire load in a thief makes the slot and
// the goroutine behind it visible. head's CAS (release) with the owner's acquire load of head
// before it writes a slot again keeps a thief's read before that write.
//
// Where others may steal, publishing is sequentially consistent (a store to tail or a swap of
// next): wakeups.md needs "publish, then look for sleepers" in that order. With one P (`solo`)
// nobody steals and nobody sleeps who could: plain moves are enough.
#ifndef BURROW_SCHED_RUNQ_H
#define BURROW_SCHED_RUNQ_H

#include "sched/sched.h"

// How many goroutines that wait make a ring full for one that has just been started: a small number
// keeps the number of goroutines alive small (queue.c). A tree of a million: 256 needs 110 MB and
// five times as long as 16, which needs 22 MB.
enum { BW_ROOM_FOR_NEW = 16 };

// The ring has `room` goroutines or more: half as many, the oldest, and g go to the global queue.
void bw__runq_overflow(bw__p *p, bw__g *g, uint32_t room);

static inline void bw__ring_push_within(bw__p *p, bw__g *g, uint32_t room) {
  bw__runq *q = &p->q;
  uint32_t tail = bw__load_relaxed(&q->tail);
  if (BW_UNLIKELY(tail - bw__load_acquire(&q->head) >= room)) { // pairs with a thief's CAS
    bw__runq_overflow(p, g, room);
    return;
  }
  bw__store_own(&q->ring[tail % BW_RING], g);
  if (q->solo)
    bw__store_own(&q->tail, tail + 1);
  else
    bw__store(&q->tail, tail + 1);
}

static inline void bw__ring_push(bw__p *p, bw__g *g) { bw__ring_push_within(p, g, BW_RING); }

static inline bw__g *bw__ring_pop(bw__p *p) {
  bw__runq *q = &p->q;
  uint32_t head = bw__load_relaxed(&q->head), tail = bw__load_relaxed(&q->tail);
  while (head != tail) {
    bw__g *g = bw__load_relaxed(&q->ring[head % BW_RING]);
    if (q->solo) {
      bw__store_own(&q->head, head + 1);
      return g;
    }
    if (bw__cas(&q->head, &head, head + 1)) return g; // else head is what it is now
  }
  return NULL;
}

static inline void bw__next_put_within(bw__p *p, bw__g *g, uint32_t room) {
  bw__runq *q = &p->q;
  bw__g *before = bw__load_relaxed(&q->next);
  if (q->solo)
    bw__store_own(&q->next, g);
  else
    before = bw__swap(&q->next, g);
  if (before) bw__ring_push_within(p, before, room);
}

static inline void bw__next_put(bw__p *p, bw__g *g) { bw__next_put_within(p, g, BW_RING); }

static inline bw__g *bw__next_take(bw__p *p) {
  bw__runq *q = &p->q;
  bw__g *g = bw__load_relaxed(&q->next);
  if (!g) return NULL;
  if (!q->solo) return bw__swap(&q->next, NULL); // NULL: a thief was faster
  bw__store_own(&q->next, NULL);
  return g;
}

// A goroutine that was just readied runs at once, in the time slice of the one that readied it: two
// that wake each other stay together, a chain. Where others wait in the ring, a chain ends after
// sixteen turns, or when it has had its share of the time (queue.c). With one P nobody watches, and
// a chain may have twice as many.
enum { BW_CHAIN_LOOKS_EVERY = 8, BW_CHAIN_LOOKS_EVERY_SOLO = 16, BW_SLICE = 10 * 1000 * 1000 };

static inline uint32_t bw__chain_looks_every(const bw__p *p) {
  return p->q.solo ? BW_CHAIN_LOOKS_EVERY_SOLO : BW_CHAIN_LOOKS_EVERY;
}

static inline void bw__chain_begin(bw__p *p) {
  p->chain_looks = 0;
  p->chain_left = bw__chain_looks_every(p) - 1;
}

// Whether the chain may go on. Called when chain_left is 0, which it is not after true.
bool bw__chain_goes_on(bw__p *p);

static inline void bw__runq_put(bw__p *p, bw__g *g, bool next) {
  if (next)
    bw__next_put(p, g);
  else
    bw__ring_push(p, g);
}

static inline bw__g *bw__runq_take(bw__p *p) {
  bw__g *g;
  if ((BW_LIKELY(p->chain_left > 0) || bw__chain_goes_on(p)) && (g = bw__next_take(p))) {
    p->chain_left--;
    return g;
  }
  bw__chain_begin(p);
  g = bw__ring_pop(p);
  return g ? g : bw__next_take(p);
}

// Wakes or starts an M if there is a P without work, idle or in a blocking call, and no M is
// looking for work already. To be called after work was put where others can find it.
static inline void bw__wake_one(void) {
  bw__sched *s = &bw__sched_state;
  if (bw__load(&s->idle_count) + bw__load(&s->blocking) > 0 && bw__load(&s->spinning) == 0)
    bw__wake_one_slow();
}

#endif
