// The queue of a pool, sync/pool_chain.c: an owner at the head, others at the tail.
//
//   - each item comes out once, or is in the chain at the end;
//   - what was written to an item before it was pushed is seen by who gets it;
//   - no ring is touched after it was freed.
//
// Rings begin with two places, not with eight (mutants.cmake).
#include "pool.h"

#include "world.h"

#include <burrow/alloc.h>
#include <string.h>

static void *zeroed(size_t n, size_t size) {
  void *p = bw_malloc(n * size);
  return p ? memset(p, 0, n * size) : NULL;
}
#define bw_calloc zeroed

#include "sync/pool_chain.c" // NOLINT(bugprone-suspicious-include): all of it is looked at here

enum { ITEMS = 16 };

typedef struct {
  int number; // plain: race.c sees who is not synchronised
} item;

static struct {
  const pool_program *p;
  bw__pool_chain *chain;
  _Atomic(int32_t) *visitors;
  bw__pool_ring *limbo;
  item *items;
  int pushed;
  bool out[ITEMS];
} it;

static void got(const item *x) {
  int n = x->number;
  if (n < 1 || n > it.pushed) {
    model_fail("an item that was never pushed");
  } else if (it.out[n - 1]) {
    model_fail("item %d comes out twice", n);
  } else {
    it.out[n - 1] = true;
  }
}

static void push(void) {
  item *x = &it.items[it.pushed++];
  x->number = it.pushed;
  if (!bw__pool_chain_push(it.chain, x)) model_fail("no memory");
}

static void reset(void) {
  it.limbo = bw__pool_rings_free(it.limbo, it.visitors);
  if (!bw__pool_chain_empty(it.chain)) return;
  bw__pool_ring *rings = bw__pool_rings_free(bw__pool_chain_reset(it.chain), it.visitors);
  if (!rings) return;
  bw__pool_ring *last = rings;
  while (last->older) last = last->older;
  last->older = it.limbo;
  it.limbo = rings;
}

static void own(void *arg) {
  (void)arg;
  for (const char *op = it.p->owner; *op; op++) {
    item *x = NULL;
    if (*op == 'p')
      push();
    else if (*op == 'o')
      x = bw__pool_chain_pop(it.chain);
    else
      reset();
    if (x) got(x);
  }
}

static void take_some(void *arg) {
  (void)arg;
  for (int i = 0; i < it.p->takes; i++) {
    item *x = bw__pool_chain_visit(it.chain, it.visitors);
    if (x) got(x);
  }
}

static void setup(void) {
  static const char *const names[] = {"A", "B", "C"};
  it.chain = zeroed(1, sizeof *it.chain);
  it.visitors = zeroed(1, sizeof *it.visitors);
  it.items = zeroed(ITEMS, sizeof *it.items);
  it.limbo = NULL;
  it.pushed = 0;
  memset(it.out, 0, sizeof it.out);
  world_start("owner", false, own, NULL);
  for (int t = 0; t < it.p->takers; t++) world_start(names[t], false, take_some, NULL);
}

static void finish(void) {
  item *x;
  while ((x = bw__pool_chain_pop(it.chain))) got(x);
  for (int i = 0; i < it.pushed; i++)
    if (!it.out[i]) model_fail("item %d is lost", i + 1);
  if (!bw__pool_chain_empty(it.chain)) model_fail("the chain is not empty at the end");
}

model_result pool_chain(const pool_program *p) {
  it.p = p;
  world_is = (world_rules){.timeouts = 0};
  model_search search = {.mode = p->bound ? MODEL_BOUNDED : MODEL_REDUCED,
                         .bound = p->bound,
                         .setup = setup,
                         .finish = finish};
  model_result result = model_explore(&search);
  if (result.failed) model_report();
  return result;
}
