// A small, fast pseudo-random generator (SplitMix64): one 64-bit word of state, passes BigCrush,
// every seed is good. For scheduling and sampling, never for secrets.
#ifndef BURROW_BASE_RAND_H
#define BURROW_BASE_RAND_H

#include "base/config.h"

typedef struct {
  uint64_t state;
} bw__rand;

static inline uint64_t bw__rand_mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static inline uint64_t bw__rand_next(bw__rand *r) {
  r->state += 0x9e3779b97f4a7c15u;
  return bw__rand_mix(r->state);
}

// A number in 0..n-1 by multiply-shift (Lemire); n > 0. The bias is below n / 2^32.
static inline uint32_t bw__rand_below(bw__rand *r, uint32_t n) {
  return (uint32_t)(((bw__rand_next(r) >> 32) * n) >> 32);
}

#endif
