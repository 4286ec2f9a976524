// A pool's queue of items: its owner pushes and pops at the head, anybody takes from the tail, and
// nobody waits for anybody (Go's poolDequeue and poolChain).
//
// A ring has a fixed size. A chain is rings in a row, each twice as large as the one before; the
// owner pushes into the newest only, so one that was found empty and has a newer stays empty, and
// the tail moves past it. Such rings stay linked until the whole chain is emptied: all together
// they are as large as the newest.
//
//   tail -> [8, drained] -> [16] -> [32] <- head
//
// A ring's `ends` holds head << 32 | tail, numbers that wrap; slots tail..head-1 have items.
//
//   I1  slots are filled by the owner, at head, and then head moves on
//   I2  who moves an end over a slot by CAS owns the item that was in it, and empties the slot
//   I3  a taker empties its slot after it has moved the tail: the owner does not fill a slot that
//       is not empty yet, though the ends say that there is room
//
// Whose memory. Rings leave a chain when that is empty, but a taker may still be at one. Who takes
// from a chain that it does not own is a *visitor*: it counts itself, then reads the chain's tail;
// who resets the chain sets the tail to NULL, then reads the count. One of the two sees the other
// (all four are sequentially consistent): either the visitor finds no rings, or the rings have to
// wait for a moment without visitors.
#ifndef BURROW_SYNC_POOL_CHAIN_H
#define BURROW_SYNC_POOL_CHAIN_H

#include "base/atomics.h"

typedef struct bw__pool_ring {
  struct bw__pool_ring *older;           // the owner's
  _Atomic(struct bw__pool_ring *) newer; // set once
  uint32_t size;                         // a power of two; r/o
  _Atomic(uint64_t) ends;                // see above
  _Atomic(void *) slots[];               // NULL: empty
} bw__pool_ring;

// All zeros is an empty one.
typedef struct {
  bw__pool_ring *head;           // the owner's
  _Atomic(bw__pool_ring *) tail; // NULL: there are no rings
} bw__pool_chain;

// For the owner. False: no memory for another ring. Blocks: never.
bool bw__pool_chain_push(bw__pool_chain *c, void *item);
// For the owner: the item that was pushed last, or NULL. Blocks: never.
void *bw__pool_chain_pop(bw__pool_chain *c);
// For anybody: the item that was pushed first, or NULL. `visitors`: of all chains whose rings are
// freed together. Blocks: never.
void *bw__pool_chain_visit(bw__pool_chain *c, _Atomic(int32_t) *visitors);
// For the owner. True: there is no item, and there will be none before the next push.
bool bw__pool_chain_empty(const bw__pool_chain *c);
// For the owner of an empty chain: takes all rings out of it, linked by `older`.
bw__pool_ring *bw__pool_chain_reset(bw__pool_chain *c);
// Frees rings that are linked by `older`, if there are no visitors; else returns them.
bw__pool_ring *bw__pool_rings_free(bw__pool_ring *r, _Atomic(int32_t) *visitors);

#endif
