// The limiter's arithmetic, with the clock as an argument, for tests.
#ifndef BURROW_LIB_LIMITER_H
#define BURROW_LIB_LIMITER_H

#include <burrow/patterns.h>

enum { BW_LIMITER_TOO_LATE = -1 };

// Takes n tokens at the time `now`: from when on they may be used, >= now. Later than `latest`:
// takes none, BW_LIMITER_TOO_LATE. Blocks: never. Locks: the limiter's.
int64_t bw__limiter_take(bw_limiter *l, int64_t n, int64_t now, int64_t latest);

#endif
