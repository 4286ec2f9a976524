#include "sync/limits.h"

#include <burrow/error.h>

static void end_and_ready(bw__limits *l, int result) {
  if (l->end(l->waiter, result)) bw__waiter_ready(l->waiter);
}

void bw__limits_expired(bw__timer *t, int64_t now) {
  (void)now;
  end_and_ready(BW_CONTAINER(t, bw__limits, timer), BW_ETIMEDOUT);
}

static void be_cancelled(bw__cancel_watcher *watch) {
  end_and_ready(BW_CONTAINER(watch, bw__limits, watch), BW_ECANCELED);
}

bool bw__limits_begin(bw__limits *l) {
  return !l->cancel || bw__cancel_watch(l->cancel, &l->watch, be_cancelled);
}

void bw__limits_end(bw__limits *l) {
  if (!l->cancel) return;
  bw__cancel_unwatch(l->cancel, &l->watch);
  bw__wait_over(l->waiter);
}

void bw__limits_abandon(bw__limits *l) {
  if (l->cancel) bw__cancel_unwatch(l->cancel, &l->watch);
}

static void unlock(void *mutex) { bw__mutex_unlock(mutex); }

void bw__limits_wait_thread(bw__limits *l, bw__mutex *held) {
  if (bw__wait_commit_thread(l->waiter, unlock, held, l->deadline)) return;
  if (!l->end(l->waiter, BW_ETIMEDOUT)) bw__wait_again(l->waiter); // for the wake under way
}
