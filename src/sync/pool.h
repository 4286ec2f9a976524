// What pool.c and pool_age.c share: the inside of a pool.
//
// A pool has a *local* for each P, made when that P first puts something, and one for all plain
// threads. A local belongs to its *owner*, who alone touches it but for taking from the tails of
// its chains:
//
//   a P's      the goroutine that runs on the P, between two points at which it may switch; and
//              whoever holds sched.lock while the P is on the list of idle ones, or is dead, or was
//              never made: a P comes and goes under that lock
//   threads'   who holds the state's lock
//
// Generations. The pool's `age` counts them, a local's `age` says how far it has come. A local has
// a young item and a young chain, and an old item and an old chain. Ageing the pool by one is done
// in this order (pool_age.c):
//   1. takes all that is in old chains, by their tails, and drops it; and in young ones of locals
//      that are behind the pool
//   2. age + 1
//   3. renews the locals that it can own. The others are renewed by their owners, before they do
//      anything else with them.
// Renewing: the old item goes, the young becomes the old, and so do the chains. The old chain is
// empty then, and its rings can be freed (but see bw__pool_renew).
//
// The words of the fast paths are BW_SHARED: a plain load of a state or local that another thread
// has just made works on wasm before bw__port_mem_sync, which only the slow paths call.
//
// Locks: pools.lock (the list of all), then a state's lock; sched.lock in 3.
#ifndef BURROW_SYNC_POOL_H
#define BURROW_SYNC_POOL_H

#include "base/list.h"
#include "base/shared.h"
#include "lock/mutex.h"
#include "sync/pool_chain.h"

#include <burrow/pool.h>

typedef struct {
  _Alignas(BW_CACHE_LINE) void *item; // young; the owner's, as all but the tails of the chains
  void *old_item;
  BW_SHARED(uint32_t) age;   // written by the owner
  BW_SHARED(uint32_t) young; // which chain is; written by the owner
  bw__pool_chain chains[2];
} bw__pool_local;

// The tails, which takers move, are in the owner's line on purpose: they come when they have
// nothing themselves, and then for the owner's items.
_Static_assert(sizeof(bw__pool_local) == BW_CACHE_LINE, "a line each, and no more");

// Locals by the index of their P: bucket 0 has 4, each of the following as many as all before.
enum { BW_POOL_FIRST = 4, BW_POOL_BUCKETS = 9 };

typedef struct bw__pool_state {
  // Read by each get and put, hardly ever written.
  bw_pool *pool;                                        // r/o
  BW_SHARED(uint32_t) age;                              // written by who ages
  BW_SHARED(bw__pool_local *) buckets[BW_POOL_BUCKETS]; // made on demand, under lock
  bool ageing;   // somebody does that right now: under pools.lock, as the next two
  uint64_t turn; // of the last ageing
  bw__list link; // in the list of all
  // Written by whoever comes to another's local, and by plain threads.
  _Alignas(BW_CACHE_LINE) _Atomic(int32_t) visitors; // see pool_chain.h
  bw__mutex lock;
  bw__pool_ring *limbo;  // rings that had visitors when they left their chain: under lock
  bw__pool_local shared; // plain threads'; under lock
} bw__pool_state;

_Static_assert(offsetof(bw__pool_state, visitors) % BW_CACHE_LINE == 0, "apart from what all read");
_Static_assert(offsetof(bw__pool_state, shared) % BW_CACHE_LINE == 0, "as any local");

static inline uint32_t bw__pool_bucket_size(unsigned bucket) {
  return bucket == 0 ? BW_POOL_FIRST : (uint32_t)BW_POOL_FIRST << (bucket - 1);
}
static inline uint32_t bw__pool_bucket_begin(unsigned bucket) {
  return bucket == 0 ? 0 : (uint32_t)BW_POOL_FIRST << (bucket - 1);
}

// What is left to be done when no lock is held and the local is of no more interest.
typedef struct {
  void *items[2];       // to be dropped
  bw__pool_ring *rings; // to be freed, when there are no visitors
} bw__pool_waste;

// Brings a local that the caller owns to the pool's age. Blocks: never. Any lock may be held.
void bw__pool_renew(bw__pool_state *st, bw__pool_local *l, bw__pool_waste *waste);
// Blocks: as `drop` does.
void bw__pool_finish(bw__pool_state *st, bw__pool_waste *waste);
// Frees the rings in limbo if there are no visitors. Locks: the state's.
void bw__pool_empty_limbo(bw__pool_state *st);
// As a visitor, from l's chain, the young or the old one. NULL: it is empty.
void *bw__pool_visit(bw__pool_state *st, bw__pool_local *l, bool old);
// Calls visit for each local that there is, of threads too, from the one with this index on, until
// it returns true. Whether it did.
bool bw__pool_each(bw__pool_state *st, uint32_t from,
                   bool (*visit)(bw__pool_state *st, bw__pool_local *l, int p, void *arg),
                   void *arg);

// pool_age.c: the list of all pools.
void bw__pools_lock(void);
void bw__pools_unlock(void);
// Under the lock. Has the runtime age them from now on.
void bw__pools_add_locked(bw__pool_state *st);
// Waits until nobody ages it. May park. Locks: pools.
void bw__pools_remove(bw__pool_state *st);

// How often a runtime ages the pools. For tests.
extern _Atomic(int64_t) bw__pools_period;

#endif
