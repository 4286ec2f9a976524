// How many bytes all thread caches together may hold: a total that they share out among themselves.
//
// A cache claims a step when its lists want more capacity than it has, up to MOST for one cache.
// When nothing of the total is left, it takes a step from another cache in turn: that one sees the
// debt (`owed`) the next time it is on a slow path, and gives the objects back. LEAST is
// everybody's, so that no cache starves however many threads there are.
//
// I1: unclaimed + sum of granted == TOTAL. (unclaimed may be below 0, since a new cache gets LEAST
//     in any case, but by no more than LEAST for each cache.)
// I2: what a cache may hold == granted + owed. So a thread that does nothing keeps what it holds
//     until it calls again; all others stay within the total.
#ifndef BURROW_ALLOC_BUDGET_H
#define BURROW_ALLOC_BUDGET_H

#include "base/atomics.h"
#include "base/list.h"

typedef struct {
  int64_t granted;       // under budget.c's lock
  _Atomic(int64_t) owed; // taken from it by others, not paid yet
  bw__list link;         // all that have something; under the lock
} bw__budget_share;

// Returns the bytes that a new cache begins with. Locks: budget. Blocks: M.
int64_t bw__budget_open(bw__budget_share *s);
// Takes everything back from a cache that holds nothing any more. Locks: budget. Blocks: M.
void bw__budget_close(bw__budget_share *s);
// At least `bytes` more, or 0. Locks: budget. Blocks: M.
int64_t bw__budget_claim(bw__budget_share *s, int64_t bytes);
// What others took since the last call. Locks: none. Blocks: never.
static inline int64_t bw__budget_debt(bw__budget_share *s) {
  if (BW_LIKELY(!bw__load_relaxed(&s->owed))) return 0;
  return atomic_exchange(&s->owed, 0);
}

// The most that one cache, and that all caches together, are meant to hold; bytes.
#define BW_BUDGET_MOST  ((int64_t)(BW_WASM ? 1 : 2) << 20)
#define BW_BUDGET_TOTAL ((int64_t)(BW_WASM ? 8 : 32) << 20)
#define BW_BUDGET_LEAST ((int64_t)64 << 10)

#endif
