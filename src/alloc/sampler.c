// Logarithm and exponential are done here, in a few lines: libm may not be linked, and 20 bits are
// enough.
#include "alloc/sampler.h"

_Atomic(uint32_t) bw__sampler_round;

static struct {
  _Atomic(uint64_t) mean, seed; // written before the round
  _Atomic(uint64_t) seeded;     // samplers that got a generator
} all = {1, 0, 0};

void bw__sampler_start(uint64_t mean, uint64_t seed) {
  bw__store_relaxed(&all.mean, mean);
  bw__store_relaxed(&all.seed, seed);
  bw__store_relaxed(&all.seeded, 0);
  // pairs with the acquire in due
  bw__store_release(&bw__sampler_round, bw__load_relaxed(&bw__sampler_round) + 1);
}

void bw__sampler_draw(bw__sampler *s) {
  uint32_t round = bw__load_acquire(&bw__sampler_round); // pairs with start's release
  if (s->round != round) {
    s->round = round;
    s->rng.state = bw__rand_mix(bw__load_relaxed(&all.seed) + bw__add_relaxed(&all.seeded, 1));
  }
  s->until = (int64_t)bw__sampler_exponential(&s->rng, bw__load_relaxed(&all.mean));
}

enum { BITS = 20 }; // after the point, of logarithms

// -ln(u / 2^64) * mean, for u from 1 to 2^64 - 1. The base-2 logarithm comes bit by bit: squaring
// a number in [1, 2) doubles its logarithm.
uint64_t bw__sampler_exponential(bw__rand *rng, uint64_t mean) {
  static const uint64_t ln2 = 2977044472; // * 2^-32
  if (mean <= 1) return 0;
  uint64_t u = bw__rand_next(rng) | 1;
  unsigned zeros = (unsigned)__builtin_clzll(u);
  uint64_t m = u << zeros >> 32; // * 2^-31: in [1, 2)
  uint64_t fraction = 0;
  for (int i = 0; i < BITS; i++) {
    m = m * m >> 31;
    uint64_t bit = m >> 32;
    m >>= bit;
    fraction = fraction << 1 | bit;
  }
  uint64_t log2 = ((uint64_t)(zeros + 1) << BITS) - fraction; // of 2^64 / u
  return ((log2 * ln2 >> 32) * mean) >> BITS;
}

double bw__sampler_scale(size_t bytes, uint64_t mean) {
  double x = (double)bytes / (double)mean;
  if (mean <= 1 || x > 40) return 1;
  double y = x / 1024;
  double e = -y + y * y / 2 - y * y * y / 6 + y * y * y * y / 24; // exp(-y) - 1
  for (int i = 0; i < 10; i++) e *= e + 2;                        // of twice the argument
  return -1 / e;
}
