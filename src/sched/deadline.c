// Deadlines of file descriptors: a heap under one lock, beside that of sleeping goroutines.
//
// `next` is what bw__timers_next counts in, so that Ms look at deadlines whenever they look at
// timers. A deadline that fires is out of the heap before its function is called without any lock;
// it may be set again at once, by that function too.
#include "sched/sched.h"

#include "sched/poll.h"

#include <burrow/alloc.h>

static struct {
  bw__mutex lock;
  bw__heap heap;         // under lock
  size_t reserved;       // descriptors that may each have one in the heap: under lock
  _Atomic(int64_t) next; // written under lock; BW_NEVER when the heap is empty
} deadlines = {.lock = BW_MUTEX_INIT(BW_RANK_TIMERS), .next = BW_NEVER};

static void publish_next_locked(void) {
  bw__heap_node *first = bw__heap_min(&deadlines.heap);
  bw__store(&deadlines.next, first ? first->key : BW_NEVER);
}

static bool reserve_locked(size_t n) {
  bw__heap *h = &deadlines.heap;
  size_t cap = h->cap ? h->cap : 64;
  while (cap < n) cap *= 2;
  if (cap == h->cap) return true;
  void *at = bw_realloc(h->at, cap * sizeof *h->at);
  if (!at) return false;
  h->at = at;
  h->cap = cap;
  return true;
}

bool bw__deadlines_reserve(size_t n) {
  bw__mutex_lock(&deadlines.lock);
  bool ok = reserve_locked(deadlines.reserved + n);
  if (ok) deadlines.reserved += n;
  bw__mutex_unlock(&deadlines.lock);
  return ok;
}

void bw__deadline_set(bw__deadline *d, int64_t when) {
  bw__mutex_lock(&deadlines.lock);
  if (d->node.index != BW_HEAP_NOWHERE) bw__heap_remove(&deadlines.heap, &d->node);
  d->node.key = when;
  bw__heap_push(&deadlines.heap, &d->node);
  bool first = bw__heap_min(&deadlines.heap) == &d->node;
  publish_next_locked();
  bw__mutex_unlock(&deadlines.lock);
  if (first) bw__timers_earlier(when);
}

void bw__deadline_clear(bw__deadline *d) {
  bw__mutex_lock(&deadlines.lock);
  if (d->node.index != BW_HEAP_NOWHERE) bw__heap_remove(&deadlines.heap, &d->node);
  publish_next_locked();
  bw__mutex_unlock(&deadlines.lock);
}

int64_t bw__deadlines_next(void) { return bw__load(&deadlines.next); }

static bw__deadline *take_due(int64_t now) {
  bw__mutex_lock(&deadlines.lock);
  bw__heap_node *n = bw__heap_min(&deadlines.heap);
  if (n && n->key <= now)
    bw__heap_remove(&deadlines.heap, n);
  else
    n = NULL;
  publish_next_locked();
  bw__mutex_unlock(&deadlines.lock);
  return n ? BW_CONTAINER(n, bw__deadline, node) : NULL;
}

void bw__deadlines_run(void) {
  int64_t now = bw__port_now();
  if (bw__load(&deadlines.next) > now) return;
  for (bw__deadline *d; (d = take_due(now));) d->fire(d);
}

void bw__deadlines_free(void) {
  bw_free(deadlines.heap.at);
  deadlines.heap = (bw__heap){0};
  deadlines.reserved = 0;
  bw__store(&deadlines.next, BW_NEVER);
}
