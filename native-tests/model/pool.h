// Programs for pool.c.
#ifndef BURROW_MODEL_POOL_H
#define BURROW_MODEL_POOL_H

#include "model.h"

typedef struct {
  const char *owner; // p: pushes, o: pops, r: frees rings, resets the chain if it is empty
  int takers, takes; // others, and how often each of them takes
  int bound;         // 0: all interleavings; else with at most so many preemptions
} pool_program;

// A violation has been reported when it returns.
model_result pool_chain(const pool_program *p);

#endif
