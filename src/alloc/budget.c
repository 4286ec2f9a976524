#include "alloc/budget.h"

#include "alloc/fork.h"
#include "lock/mutex.h"

#define STEP  ((int64_t)64 << 10)
#define LOOKS 16 // caches looked at for a step, so that the lock is short however many there are

static struct {
  bw__mutex mu;
  int64_t unclaimed; // under mu
  bw__list shares;   // under mu; zero until the first use
} budget = {.mu = BW_MUTEX_INIT(BW_RANK_BUDGET), .unclaimed = BW_BUDGET_TOTAL};

static void grant_locked(bw__budget_share *s, int64_t bytes) {
  budget.unclaimed -= bytes;
  s->granted += bytes;
}

int64_t bw__budget_open(bw__budget_share *s) {
  bw__mutex_lock(&budget.mu);
  if (!budget.shares.next) bw__list_init(&budget.shares);
  bw__list_push_back(&budget.shares, &s->link);
  s->granted = 0;
  bw__store_relaxed(&s->owed, 0); // nobody else knows of it yet
  grant_locked(s, BW_BUDGET_LEAST);
  bw__mutex_unlock(&budget.mu);
  return BW_BUDGET_LEAST;
}

void bw__budget_close(bw__budget_share *s) {
  bw__mutex_lock(&budget.mu);
  bw__list_remove(&s->link);
  grant_locked(s, -s->granted);
  bw__mutex_unlock(&budget.mu);
}

// Moves `bytes` of what other caches were granted to `unclaimed`, each in turn. False: none has so
// much to spare.
static bool take_from_others_locked(const bw__budget_share *s, int64_t bytes) {
  for (int i = 0; i < LOOKS; i++) {
    bw__list *at = bw__list_pop_front(&budget.shares);
    bw__list_push_back(&budget.shares, at); // the next to pay is another one
    bw__budget_share *other = BW_CONTAINER(at, bw__budget_share, link);
    if (other == s || other->granted - bytes < BW_BUDGET_LEAST) continue;
    grant_locked(other, -bytes);
    bw__add_relaxed(&other->owed, bytes); // an amount; what it pays for is behind other locks
    return true;
  }
  return false;
}

int64_t bw__budget_claim(bw__budget_share *s, int64_t bytes) {
  int64_t step = bytes > STEP ? bytes : STEP;
  bw__mutex_lock(&budget.mu);
  bool granted = s->granted + step <= BW_BUDGET_MOST &&
                 (budget.unclaimed >= step || take_from_others_locked(s, step));
  if (granted) grant_locked(s, step);
  bw__mutex_unlock(&budget.mu);
  return granted ? step : 0;
}

void bw__budget_fork_before(void) { bw__mutex_lock_unranked(&budget.mu); }
void bw__budget_fork_after(void) { bw__mutex_unlock_unranked(&budget.mu); }
