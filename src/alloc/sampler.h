// When to take a sample: points are strewn over all bytes that are ever allocated, `mean` bytes
// apart on average, each byte with the same chance (a Poisson process). An object is sampled when
// a point falls into it: with a probability of 1 - exp(-size / mean).
//
// Each cache has a sampler, which counts down to its next point. The distance has no memory, so it
// can be drawn anew at any time: after a sample, in a new thread, in a new profile.
#ifndef BURROW_ALLOC_SAMPLER_H
#define BURROW_ALLOC_SAMPLER_H

#include "base/atomics.h"
#include "base/rand.h"

typedef struct {
  int64_t until;  // bytes before the next point
  uint32_t round; // bw__sampler_round when that was drawn
  bw__rand rng;
} bw__sampler; // zero is good; its owner only

#define BW_SAMPLER_MEAN_MOST ((uint64_t)1 << 36)

// Counts the profiles that were begun.
extern _Atomic(uint32_t) bw__sampler_round;

// Begins a profile: all samplers draw anew. 1 <= mean <= BW_SAMPLER_MEAN_MOST. Not from two threads
// at once. Locks: none. Blocks: never.
void bw__sampler_start(uint64_t mean, uint64_t seed);

// Draws the next point.
void bw__sampler_draw(bw__sampler *s);

// Counts an object of `bytes`. True: it is a sample, *point is the first byte that a point fell on.
static inline bool bw__sampler_due(bw__sampler *s, size_t bytes, size_t *point) {
  if (BW_UNLIKELY(s->round != bw__load_acquire(&bw__sampler_round))) // pairs with start's release
    bw__sampler_draw(s);
  int64_t left = s->until - (int64_t)bytes;
  if (BW_LIKELY(left >= 0)) {
    s->until = left;
    return false;
  }
  *point = (size_t)s->until;
  bw__sampler_draw(s);
  return true;
}

// A number from the exponential distribution with this mean, rounded down; 0 for a mean of 1.
uint64_t bw__sampler_exponential(bw__rand *rng, uint64_t mean);

// How many objects of `bytes` a sampled one stands for: 1 / (1 - exp(-bytes / mean)).
double bw__sampler_scale(size_t bytes, uint64_t mean);

#endif
