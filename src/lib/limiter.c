// Rate limits: a token bucket as one point in time.
//
// `full` is when the bucket will be full, if nobody takes any more; a full bucket has it in the
// past. Taking n tokens moves it by the time that n tokens need to come. The tokens are there as
// soon as `full` is no more than the time of a whole bucket (`span`) away. So one addition and one
// comparison do it, nothing has to be filled, and who waits is in line behind all who came before.
//
// Times are exact: nanoseconds and a fraction, counted in 1/events of a nanosecond. n tokens need
// n * per / events nanoseconds, whose remainder is the fraction. (events * per < 2^62, so that
// this takes no more than 64 bits.)
//
//   I1  0 <= fraction < events, in `full` and in `span`
//
// Rejected: counting tokens and topping them up by the elapsed time (loses a fraction at each
// look); points of a fixed grid in time (two tokens of a burst of 1 may leave right after each
// other); a lock-free word (the fraction does not fit beside the nanoseconds).
//
// Locks: the limiter's (BW_RANK_LIMITER), a leaf, for some ten instructions.
#include "lib/limiter.h"

#include "lock/mutex.h"
#include "port/port.h"
#include "sched/unwind.h"

#include <burrow/alloc.h>
#include <burrow/context.h>
#include <burrow/error.h>
#include <burrow/go.h>

// ns + fraction / events.
typedef struct {
  int64_t ns, fraction;
} exact;

struct bw_limiter {
  bw__mutex lock;
  int64_t events, per, burst; // r/o; events / per is reduced
  exact span;                 // r/o
  exact full;                 // under lock
};

static exact time_of(const bw_limiter *l, int64_t tokens) {
  int64_t part = tokens % l->events * l->per;
  return (exact){tokens / l->events * l->per + part / l->events, part % l->events};
}

// Saturates: who reserves for centuries ahead waits for ever.
static exact later(const bw_limiter *l, exact t, exact by) {
  exact sum = {0, t.fraction + by.fraction};
  int64_t carry = sum.fraction >= l->events;
  sum.fraction -= carry * l->events;
  if (__builtin_add_overflow(t.ns, by.ns + carry, &sum.ns)) return (exact){INT64_MAX, 0};
  return sum;
}

// The first whole nanosecond that is no more than the span before t.
static int64_t span_before(const bw_limiter *l, exact t) {
  return t.ns - l->span.ns + (t.fraction > l->span.fraction);
}

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static bool in_range(int64_t events, int64_t per, int64_t burst) {
  int64_t product, whole;
  return !__builtin_mul_overflow(events, per, &product) && product >> 62 == 0 &&
         !__builtin_mul_overflow(burst / events, per, &whole) && whole >> 61 == 0 &&
         (whole + burst % events * per / events) >> 61 == 0;
}

bw_limiter *bw_limiter_make(int64_t events, int64_t per, int64_t burst) {
  bool positive = events > 0 && per > 0 && burst > 0;
  int64_t divisor = positive ? common_divisor(events, per) : 1;
  events /= divisor;
  per /= divisor;
  if (!positive || !in_range(events, per, burst)) bw__panic("limiter: rate out of range");
  bw_limiter *l = bw_malloc(sizeof *l);
  if (!l) return NULL;
  *l = (bw_limiter){.events = events, .per = per, .burst = burst, .full = {bw_now(), 0}};
  l->span = time_of(l, burst);
  bw__mutex_init(&l->lock, BW_RANK_LIMITER);
  return l;
}

void bw_limiter_free(bw_limiter *l) { bw_free(l); }

int64_t bw__limiter_take(bw_limiter *l, int64_t n, int64_t now, int64_t latest) {
  if (n < 1 || n > l->burst) bw__panic_in("bw_limiter", "limiter: more tokens than the burst");
  exact cost = time_of(l, n);
  bw__mutex_lock(&l->lock);
  exact from = l->full.ns < now ? (exact){now, 0} : l->full;
  exact full = later(l, from, cost);
  int64_t when = span_before(l, full);
  if (when < now) when = now;
  if (when > latest)
    when = BW_LIMITER_TOO_LATE;
  else
    l->full = full;
  bw__mutex_unlock(&l->lock);
  return when;
}

bool bw_limiter_try(bw_limiter *l, int64_t n) {
  int64_t now = bw_now();
  return bw__limiter_take(l, n, now, now) != BW_LIMITER_TOO_LATE;
}

int64_t bw_limiter_reserve(bw_limiter *l, int64_t n) {
  return bw__limiter_take(l, n, bw_now(), INT64_MAX);
}

void bw_limiter_wait(bw_limiter *l, int64_t n) { bw_sleep(bw_limiter_reserve(l, n) - bw_now()); }

int bw_limiter_wait_until(bw_limiter *l, int64_t n, int64_t deadline) {
  int64_t now = bw_now();
  int64_t when = bw__limiter_take(l, n, now, deadline < now ? now : deadline);
  if (when == BW_LIMITER_TOO_LATE) return BW_ETIMEDOUT;
  bw_sleep(when - now);
  return 0;
}

int bw_limiter_wait_ctx(bw_context *ctx, bw_limiter *l, int64_t n) {
  int err = bw_context_err(ctx);
  int64_t now = bw_now(), latest = INT64_MAX;
  bw_context_deadline(ctx, &latest);
  if (err || latest < now) latest = now;
  int64_t when = bw__limiter_take(l, n, now, latest);
  if (when == BW_LIMITER_TOO_LATE) return err ? err : BW_EDEADLINE;
  return bw_sleep_ctx(ctx, when - now);
}
