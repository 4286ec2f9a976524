// Programs for lock.c.
#ifndef BURROW_MODEL_LOCK_H
#define BURROW_MODEL_LOCK_H

#include "model.h"

typedef struct {
  int threads, rounds;
  int timeouts; // waits a thread that may end early, at any moment
  bool tries;   // and a trylock at the end
  int bound;    // 0: all interleavings; else with at most so many preemptions
} lock_program;

// A violation has been reported when they return.
model_result lock_native(const lock_program *p);
model_result lock_wasm(const lock_program *p);

#endif
