// Sleeping goroutines: a 4-ary heap of due times under one lock.
//
// A sleeper's timer lies on its own stack. It parks with the timers' lock, so nobody can take its
// timer off the heap before its context is saved. Ms look at `next` (atomic, no lock) whenever they
// choose a goroutine, and an M that goes to sleep sleeps no longer than until `next`.
//
// No lost timer: a sleeper that becomes the earliest kicks an idle M after it has published `next`.
// Kick and going idle both happen under sched.lock: either the M going idle reads the new `next`
// or the kick finds it on the idle list.
#include "sched/sched.h"

#include "base/heap.h"
#include "sched/poll.h"

#include <burrow/alloc.h>

typedef struct {
  bw__heap_node node; // key: when due, on bw__port_now's clock
  bw__waiter waiter;
} timer;

static struct {
  bw__mutex lock;
  bw__heap heap;         // under lock
  _Atomic(int64_t) next; // written under lock; BW_NEVER when the heap is empty
} timers = {.lock = BW_MUTEX_INIT(BW_RANK_TIMERS), .next = BW_NEVER};

static void publish_next_locked(void) {
  bw__heap_node *first = bw__heap_min(&timers.heap);
  bw__store_release(&timers.next, first ? first->key : BW_NEVER); // pairs with bw__timers_next
}

static bool reserve_locked(void) {
  bw__heap *h = &timers.heap;
  if (h->len < h->cap) return true;
  size_t cap = h->cap ? h->cap * 2 : 64;
  void *at = bw_realloc(h->at, cap * sizeof *h->at);
  if (!at) return false;
  h->at = at;
  h->cap = cap;
  return true;
}

int64_t bw__timers_next(void) {
  int64_t next = bw__load_acquire(&timers.next),
          deadline = BW_WASM ? BW_NEVER : bw__deadlines_next();
  return deadline < next ? deadline : next;
}

void bw__timers_run(void) {
  bw__list due;
  bw__list_init(&due);
  bw__mutex_lock(&timers.lock);
  bw__port_mem_sync(); // the timers lie on stacks that other threads may have grown memory for
  int64_t now = bw__port_now();
  for (bw__heap_node *n; (n = bw__heap_min(&timers.heap)) && n->key <= now;) {
    bw__heap_remove(&timers.heap, n);
    bw__list_push_back(&due, &BW_CONTAINER(n, timer, node)->waiter.link);
  }
  publish_next_locked();
  bw__mutex_unlock(&timers.lock);
  for (bw__list *l; (l = bw__list_pop_front(&due));)
    bw__waiter_ready(BW_CONTAINER(l, bw__waiter, link));
  if (!BW_WASM) bw__deadlines_run();
}

void bw__timers_free(void) {
  bw_free(timers.heap.at);
  timers.heap = (bw__heap){0};
  bw__store_relaxed(&timers.next, BW_NEVER);
}

// Out of memory for the heap's array: sleep by yielding, late but never early.
static void sleep_by_yielding(int64_t until) {
  while (bw__port_now() < until) bw_gosched();
}

void bw_sleep(int64_t ns) {
  if (ns <= 0) return;
  int64_t now = bw__port_now();
  int64_t until = ns > BW_NEVER - 1 - now ? BW_NEVER - 1 : now + ns;
  if (!bw__g_current()) {
    bw__port_sleep_until(until);
    return;
  }
  timer t = {.node.key = until};
  bw__waiter_init(&t.waiter, NULL);
  bw__mutex_lock(&timers.lock);
  bw__port_mem_sync();
  if (!reserve_locked()) {
    bw__mutex_unlock(&timers.lock);
    sleep_by_yielding(until);
    return;
  }
  bw__heap_push(&timers.heap, &t.node);
  if (bw__heap_min(&timers.heap) == &t.node) {
    publish_next_locked();
    bw__timers_earlier(until);
  }
  bw__wait(&t.waiter, &timers.lock, BW_REASON_SLEEP);
}

int64_t bw_now(void) { return bw__port_now(); }
