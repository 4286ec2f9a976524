// A lock for threads (M), never for goroutines: its sections are short, take no other time than
// their own instructions, and never suspend. Four bytes, zero means free.
//
// word: 0 free | 1 held | 2 held and somebody may be asleep on it.
//
// Lock: CAS 0 -> 1; when that fails, spin for a bounded time, then swap in 2 and sleep while it is
// 2. Unlock: if the word is 1, store 0; else swap in 0 and wake one. A woken thread takes the lock
// with 2, since it cannot know whether others sleep: at worst one wake-up too many. (The
// three-state futex lock, as in Drepper's "Futexes are tricky", but for the plain store.)
//
// The plain store halves what an uncontended section costs, and leaves a gap:
//
//     unlock                      another thread
//     U1 load word: 1
//                                 L1 swap 1 -> 2
//     U2 store 0: nobody woken
//                                 L2 futex wait: while the word is 2
//
// When U2 is seen before the kernel's look at the word, L2 does not sleep. It is seen once the
// section's own stores have left the core, mostly within nanoseconds, sometimes a few hundred; to
// fall into that, the other thread has to swap right then and to be in the kernel just as fast.
// Then nobody wakes the sleeper: so nobody sleeps for longer than a millisecond without looking
// again. Where loads may be early (BW_ORDERED is 0) the gap would be the whole section: there, and
// on wasm, where every atomic store is a full fence and a swap costs no more, unlock always swaps.
//
// Where a thread must not block (a browser's main thread) it spins instead, and what it waits for
// is another thread's short section.
#ifndef BURROW_LOCK_MUTEX_H
#define BURROW_LOCK_MUTEX_H

#include "base/atomics.h"
#include "lock/rank.h"

typedef struct {
  _Atomic(uint32_t) word;
  uint32_t rank; // bw__rank; r/o after init
} bw__mutex;

// Without the checks the rank is not kept, so that a static mutex is all zeros.
#define BW_MUTEX_INIT(r)                                                                           \
  { 0, BW_DEBUG ? (r) : 0 }

static inline void bw__mutex_init(bw__mutex *mu, bw__rank rank) {
  bw__store_relaxed(&mu->word, 0);
  mu->rank = rank;
}

void bw__mutex_lock_slow(bw__mutex *mu);
void bw__mutex_lock_patient_slow(bw__mutex *mu);
void bw__mutex_unlock_slow(bw__mutex *mu);

// Without the rank: only around a fork, which takes all locks of a room, in a fixed order.
// Blocks: M. Locks: mu.
static inline void bw__mutex_lock_unranked(bw__mutex *mu) {
  uint32_t free_word = 0;
  if (BW_LIKELY(bw__cas_acquire(&mu->word, &free_word, 1))) return; // pairs with unlock's release
  bw__mutex_lock_slow(mu);
}

static inline void bw__mutex_unlock_unranked(bw__mutex *mu) {
  if (BW_ORDERED && BW_LIKELY(bw__load_relaxed(&mu->word) == 1))
    bw__store_release(&mu->word, 0); // pairs with the acquire in lock
  else if (BW_UNLIKELY(bw__swap_release(&mu->word, 0) == 2))
    bw__mutex_unlock_slow(mu);
}

// Blocks: M. Locks: mu.
static inline void bw__mutex_lock(bw__mutex *mu) {
  bw__rank_push((bw__rank)mu->rank);
  bw__mutex_lock_unranked(mu);
}

// The same for a lock that the same few take again and again: who has to wait does so for longer,
// and all together get further. Blocks: M. Locks: mu.
static inline void bw__mutex_lock_patient(bw__mutex *mu) {
  uint32_t free_word = 0;
  bw__rank_push((bw__rank)mu->rank);
  if (BW_UNLIKELY(!bw__cas_acquire(&mu->word, &free_word, 1))) bw__mutex_lock_patient_slow(mu);
}

// Blocks: never. True: locked.
static inline bool bw__mutex_trylock(bw__mutex *mu) {
  uint32_t free_word = 0;
  if (!bw__cas_acquire(&mu->word, &free_word, 1)) return false;
  bw__rank_push((bw__rank)mu->rank);
  return true;
}

static inline void bw__mutex_unlock(bw__mutex *mu) {
  bw__rank_pop((bw__rank)mu->rank);
  bw__mutex_unlock_unranked(mu);
}

#endif
