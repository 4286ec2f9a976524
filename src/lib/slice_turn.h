// Exchanging bytes, for the slices' rooms: two blocks of equal size, and two neighbours of any.
#ifndef BURROW_LIB_SLICE_TURN_H
#define BURROW_LIB_SLICE_TURN_H

#include <string.h>

#include "base/config.h"

// Exchanges n bytes at a and at b, which do not overlap.
static inline void bw__slice_exchange(char *a, char *b, size_t n) {
  char kept[64];
  for (; n >= sizeof kept; n -= sizeof kept, a += sizeof kept, b += sizeof kept) {
    memcpy(kept, a, sizeof kept);
    memcpy(a, b, sizeof kept);
    memcpy(b, kept, sizeof kept);
  }
  for (; n >= 8; n -= 8, a += 8, b += 8) {
    memcpy(kept, a, 8);
    memcpy(a, b, 8);
    memcpy(b, kept, 8);
  }
  for (; n > 0; n--, a++, b++) {
    kept[0] = *a;
    *a = *b;
    *b = kept[0];
  }
}

// Turns the blocks X (left bytes) and Y (right bytes), which lie at `at` one behind the other, into
// Y X. The smaller block goes to its final place by one exchange, and what is left over is the same
// task with less: like Euclid's algorithm, and each byte moves once or twice.
static inline void bw__slice_turn(char *at, size_t left, size_t right) {
  while (left > 0 && right > 0) {
    if (left <= right) { // X Y1 Y2 with Y2 as large as X: Y2 Y1 X
      bw__slice_exchange(at, at + right, left);
      right -= left;
    } else { // X1 X2 Y with X1 as large as Y: Y X2 X1
      bw__slice_exchange(at, at + left, right);
      at += right;
      left -= right;
    }
  }
}

#endif
