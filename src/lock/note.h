// A note: one thread sleeps, another wakes it, once per bw__note_clear. The wake-up may come first;
// then the sleep returns at once. What the waker wrote before the wake is visible to the sleeper.
//
// word: 0 clear | 1 woken.
#ifndef BURROW_LOCK_NOTE_H
#define BURROW_LOCK_NOTE_H

#include "base/atomics.h"

typedef struct {
  _Atomic(uint32_t) word;
} bw__note;

// Only by the one thread that will sleep, and not while a wake-up may be on its way.
static inline void bw__note_clear(bw__note *n) { bw__store_relaxed(&n->word, 0); }

static inline bool bw__note_woken(bw__note *n) { return bw__load_acquire(&n->word) != 0; }

// Sleeps until woken, or until bw__port_now() >= `deadline` (< 0: no deadline). True if woken.
// Blocks: M. Where the thread must not block it spins.
bool bw__note_sleep(bw__note *n, int64_t deadline);

// The note's memory may be gone as soon as the sleeper has seen the wake-up; after its one store
// this function uses the address only.
void bw__note_wake(bw__note *n);

#endif
