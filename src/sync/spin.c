// Spin locks: test, then test-and-set, with a pause between two looks that doubles.
//
// word: 0 free | 1 held by one who does not tell | else held by this goroutine's record or, on a
// plain thread, by the one whose thread-local variable has this address.
//
// After some microseconds the owner may have lost its core, or be a goroutine that waits for this
// very P, having yielded or parked in spite of the rule: then others are let run between two looks.
#include "port/port.h"
#include "sched/sched.h"

#include <burrow/mutex.h>

enum { PAUSES_MOST = 64, LOOKS = 12 }; // of growing length, then with others in between

static bool try_lock(bw_spinlock *s, uintptr_t owner) {
  uintptr_t unlocked = 0;
  return __atomic_load_n(&s->word, __ATOMIC_RELAXED) == 0 &&
         __atomic_compare_exchange_n(&s->word, &unlocked, owner, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED);
}

// A goroutine whose P has nothing else to run comes back at once: so the thread yields as well.
static void let_others_run(void) {
  if (!bw__port_may_block()) return;
  if (bw__g_current()) bw_gosched();
  bw__port_thread_yield();
}

BW_NOINLINE void bw__spin_lock_contended(bw_spinlock *s, uintptr_t owner) {
  for (int look = 0, pauses = 1;; look++) {
    for (int i = 0; i < pauses; i++) bw__cpu_relax();
    if (try_lock(s, owner)) return;
    if (pauses < PAUSES_MOST) pauses *= 2;
    if (look >= LOOKS) let_others_run();
  }
}

// ---- owners -------------------------------------------------------------------------------------

// Out of line: see current.c.
static BW_NOINLINE uintptr_t who_am_i(void) {
  static _Thread_local char here;
  __asm__ volatile("" ::: "memory");
  bw__g *g = bw__g_current();
  return g ? (uintptr_t)g : (uintptr_t)&here;
}

uintptr_t bw__spin_owner(const bw_spinlock *s, int purpose) {
  uintptr_t me = who_am_i(), owner = __atomic_load_n(&s->word, __ATOMIC_RELAXED);
  if (purpose == BW__SPIN_TO_LOCK && owner == me)
    bw__fatal("spin lock: locked again by its owner, who would wait for itself");
  if (purpose == BW__SPIN_TO_UNLOCK && owner == 0)
    bw__fatal("spin lock: unlock of unlocked spin lock");
  if (purpose == BW__SPIN_TO_UNLOCK && owner != me && owner != 1)
    bw__fatal("spin lock: unlock by another than its owner");
  return me;
}
