#include "sync/pool_chain.h"

#include "port/port.h"

#include <burrow/alloc.h>

enum { SIZE_FIRST = 8, SIZE_MOST = 1 << 24 };

// ---- one ring -----------------------------------------------------------------------------------

static uint32_t head_of(uint64_t ends) { return (uint32_t)(ends >> 32); }
static uint32_t tail_of(uint64_t ends) { return (uint32_t)ends; }
static uint64_t pack(uint32_t head, uint32_t tail) { return (uint64_t)head << 32 | tail; }

static bw__pool_ring *ring_make(uint32_t size) {
  bw__pool_ring *r = bw_calloc(1, sizeof *r + size * sizeof *r->slots);
  if (r) r->size = size;
  return r;
}

static _Atomic(void *) *slot_of(bw__pool_ring *r, uint32_t at) {
  return &r->slots[at & (r->size - 1)];
}

static bool ring_push(bw__pool_ring *r, void *item) {
  uint64_t ends = bw__load_relaxed(&r->ends); // its tail may be old: then the slot shows it
  uint32_t head = head_of(ends);
  if (head - tail_of(ends) == r->size) return false;
  _Atomic(void *) *slot = slot_of(r, head);
  if (bw__load_acquire(slot)) return false; // I3; pairs with the store in ring_take
  bw__store_relaxed(slot, item);
  bw__add(&r->ends, pack(1, 0)); // publishes the slot
  return true;
}

static void *ring_pop(bw__pool_ring *r) {
  uint64_t ends = bw__load_relaxed(&r->ends);
  uint32_t head;
  do {
    head = head_of(ends) - 1;
    if (head_of(ends) == tail_of(ends)) return NULL;
  } while (!bw__cas(&r->ends, &ends, pack(head, tail_of(ends))));
  void *item = bw__load_relaxed(slot_of(r, head));
  bw__store_relaxed(slot_of(r, head), NULL);
  return item;
}

static void *ring_take(bw__pool_ring *r) {
  uint64_t ends = bw__load_acquire(&r->ends); // pairs with the add in ring_push
  uint32_t tail;
  do {
    tail = tail_of(ends);
    if (head_of(ends) == tail) return NULL;
  } while (!bw__cas(&r->ends, &ends, pack(head_of(ends), tail + 1)));
  void *item = bw__load_relaxed(slot_of(r, tail));
  bw__store_release(slot_of(r, tail), NULL); // pairs with the load in ring_push
  return item;
}

static bool ring_empty(bw__pool_ring *r) {
  uint64_t ends = bw__load_relaxed(&r->ends);
  return head_of(ends) == tail_of(ends);
}

// ---- the chain ----------------------------------------------------------------------------------

bool bw__pool_chain_push(bw__pool_chain *c, void *item) {
  bw__pool_ring *last = c->head;
  if (last && ring_push(last, item)) return true;
  uint32_t size = !last ? SIZE_FIRST : last->size < SIZE_MOST ? last->size * 2 : last->size;
  bw__pool_ring *r = ring_make(size);
  if (!r) return false;
  ring_push(r, item);
  r->older = last;
  c->head = r;
  if (last)
    bw__store_release(&last->newer, r); // pairs with the load in take
  else
    bw__store(&c->tail, r);
  return true;
}

void *bw__pool_chain_pop(bw__pool_chain *c) {
  const bw__pool_ring *oldest = bw__load_relaxed(&c->tail);
  for (bw__pool_ring *r = c->head; r; r = r->older) {
    void *item = ring_pop(r);
    if (item || r == oldest) return item;
  }
  return NULL;
}

static void *take(bw__pool_chain *c) {
  bw__pool_ring *r = bw__load(&c->tail);
  while (r) {
    bw__port_mem_sync(); // the ring may lie in memory that its owner's thread grew
    bw__pool_ring *newer = bw__load_acquire(&r->newer); // before: then empty means for good
    void *item = ring_take(r);
    if (item || !newer) return item;
    bw__pool_ring *drained = r;
    bw__cas(&c->tail, &drained, newer); // else somebody else did, or the chain was reset
    r = newer;
  }
  return NULL;
}

void *bw__pool_chain_visit(bw__pool_chain *c, _Atomic(int32_t) *visitors) {
  bw__add(visitors, 1);
  void *item = take(c);
  bw__sub(visitors, 1);
  return item;
}

bool bw__pool_chain_empty(const bw__pool_chain *c) {
  const bw__pool_ring *oldest = bw__load_relaxed(&c->tail);
  for (bw__pool_ring *r = c->head; r; r = r->older) {
    if (!ring_empty(r)) return false;
    if (r == oldest) break;
  }
  return true;
}

bw__pool_ring *bw__pool_chain_reset(bw__pool_chain *c) {
  bw__pool_ring *r = c->head;
  c->head = NULL;
  bw__store(&c->tail, NULL);
  return r;
}

bw__pool_ring *bw__pool_rings_free(bw__pool_ring *r, _Atomic(int32_t) *visitors) {
  if (bw__load(visitors) > 0) return r;
  while (r) {
    bw__pool_ring *older = r->older;
    bw_free(r);
    r = older;
  }
  return NULL;
}
