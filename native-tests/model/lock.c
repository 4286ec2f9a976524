// The lock of lock/mutex.h itself, on its own steps: a few threads that take it, touch what it
// guards and release it, over a futex that may end a wait early.
//
//   - never two inside; what one wrote is seen by the next (race.c looks at the memory orders);
//   - everybody gets in, provided that a timed wait ends some day;
//   - and only in the gap that mutex.h tells of does anybody need that: an unlock saw 1, another
//     thread swapped in 2, the unlock stored 0. A sleeper that is left in any other way is a lost
//     wake-up.
//
// Compiled twice: as it is, and (lock_wasm.c) as wasm has it, where nobody may need a timeout. The
// rounds of spinning are shortened to one (mutants.cmake).
#include "lock.h"

#include "world.h"

#include "lock/mutex.h"

#include "lock/mutex.c" // NOLINT(bugprone-suspicious-include): all of it is looked at here

#include <burrow/alloc.h>

#ifndef LOCK_PROGRAM
#define LOCK_PROGRAM lock_native
#endif

static struct {
  const lock_program *p;
  bw__mutex *mu;
  int *guarded;
  int inside;
  bool gap;
  uint64_t word;
  bool saw_one[MODEL_THREADS]; // its last operation on the word was a load of 1
} it;

static void watch(model_kind kind, const volatile void *address, uint64_t value) {
  if (address != &it.mu->word) return;
  int t = model_self();
  if (kind == STEP_STORE && value == 0 && it.saw_one[t] && it.word == 2) it.gap = true;
  it.saw_one[t] = kind == STEP_LOAD && value == 1;
  if (kind != STEP_LOAD) it.word = value;
}

static bool may_time_pass(void) {
  if (!it.gap || !BW_ORDERED)
    model_fail("a thread sleeps, the lock is free, and nobody will wake it");
  it.gap = false; // one gap leaves one sleeper behind, and the wake-ups behind it
  return true;
}

static void section(void) {
  if (it.inside++) model_fail("two are inside");
  ++*it.guarded;
  it.inside--;
}

static void run(void *arg) {
  (void)arg;
  for (int i = 0; i < it.p->rounds; i++) {
    if (model_self() % 2)
      bw__mutex_lock_patient(it.mu);
    else
      bw__mutex_lock(it.mu);
    section();
    bw__mutex_unlock(it.mu);
  }
  if (it.p->tries && bw__mutex_trylock(it.mu)) {
    section();
    bw__mutex_unlock(it.mu);
  }
}

static void setup(void) {
  static const char *const names[] = {"A", "B", "C", "D"};
  it.mu = bw_malloc(sizeof *it.mu);
  it.guarded = bw_malloc(sizeof *it.guarded);
  bw__mutex_init(it.mu, BW_RANK_CHAN);
  *it.guarded = 0;
  it.inside = 0;
  it.gap = false;
  it.word = 0;
  for (int t = 0; t < MODEL_THREADS; t++) it.saw_one[t] = false;
  for (int t = 0; t < it.p->threads; t++) world_start(names[t], false, run, NULL);
}

static void finish(void) {
  for (int t = 0; t < it.p->threads; t++)
    if (model_pending(t)) model_fail("%s never gets the lock", model_thread_name(t));
  if (atomic_load(&it.mu->word) != 0) model_fail("the lock is not free at the end");
}

model_result LOCK_PROGRAM(const lock_program *p) {
  it.p = p;
  world_is = (world_rules){.timeouts = p->timeouts, .may_time_pass = may_time_pass, .watch = watch};
  model_search search = {.mode = p->bound ? MODEL_BOUNDED : MODEL_REDUCED,
                         .bound = p->bound,
                         .setup = setup,
                         .finish = finish};
  model_result result = model_explore(&search);
  if (result.failed) model_report();
  return result;
}
