// The slow half of the thread-level lock: bounded spinning, then the futex.
#include "lock/mutex.h"

#include "port/port.h"

// About 1-2 us of pauses: longer than nearly every section in the runtime, shorter than a futex
// round trip (5 us natively, 9-10 us between two workers). Wasm has no pause: a round there is two
// or three instructions, and sleeping costs so much more that a lock with sleepers is waited for as
// well.
enum { SPIN_ROUNDS = BW_WASM ? 1000 : 40 };
// No sleep is longer: mutex.h says why.
enum { LOOK_AGAIN = 1000 * 1000 };

static bool spin_for(bw__mutex *mu) {
  for (int i = 0; i < SPIN_ROUNDS; i++) {
    uint32_t word = bw__load_relaxed(&mu->word);
    if (word == 0 && bw__cas_acquire(&mu->word, &word, 1)) return true;
    if (word == 2 && !BW_WASM) return false; // others sleep already: do not jump the queue
    bw__cpu_relax();
  }
  return false;
}

BW_NOINLINE void bw__mutex_lock_slow(bw__mutex *mu) {
  if (!bw__port_may_block()) {
    for (uint32_t word = 0; !bw__cas_acquire(&mu->word, &word, 1); word = 0) bw__cpu_relax();
    return;
  }
  if (spin_for(mu)) return;
  while (bw__swap_acquire(&mu->word, 2) != 0)
    bw__port_futex_wait(&mu->word, 2, BW_ORDERED ? LOOK_AGAIN : -1);
}

// Whoever waits leaves the word alone for two or three microseconds at a time: what is behind the
// lock stays with the one who has it, who does a hundred short sections meanwhile. Looking all the
// time would have each section begin with the lines of another core.
BW_NOINLINE void bw__mutex_lock_patient_slow(bw__mutex *mu) {
  enum { LOOKS = 6, PAUSES = 64 };
  for (int i = 0; !BW_WASM && i < LOOKS; i++) {
    for (int k = 0; k < PAUSES; k++) bw__cpu_relax();
    uint32_t word = bw__load_relaxed(&mu->word);
    if (word == 0 && bw__cas_acquire(&mu->word, &word, 1)) return;
  }
  bw__mutex_lock_slow(mu);
}

BW_NOINLINE void bw__mutex_unlock_slow(bw__mutex *mu) { bw__port_futex_wake(&mu->word, 1); }
