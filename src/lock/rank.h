// Lock ranks: a thread may only take a lock whose rank is higher than that of every lock it holds,
// so no two threads can wait for each other. Checked in development builds, where a violation is a
// fatal error that names both locks; free in release builds.
//
// Channel locks all have one rank: where two are needed at once they are taken by address
// (BW_RANK_CHAN is the only rank that may be taken twice).
#ifndef BURROW_LOCK_RANK_H
#define BURROW_LOCK_RANK_H

#include "base/config.h"

// Lowest first: what is taken first.
#define BW_RANKS(X)                                                                                \
  X(BW_RANK_HANDLES, "handle table")                                                               \
  X(BW_RANK_CHAN, "channel")                                                                       \
  X(BW_RANK_NOTIFY, "condition variable")                                                          \
  X(BW_RANK_CANCEL, "cancel source")                                                               \
  X(BW_RANK_SEMA, "semaphore table")                                                               \
  X(BW_RANK_LIMITER, "rate limiter")                                                               \
  X(BW_RANK_POOLS, "list of pools")                                                                \
  X(BW_RANK_POOL, "pool")                                                                          \
  X(BW_RANK_POLL, "file descriptor")                                                               \
  X(BW_RANK_TIMERS, "timers")                                                                      \
  X(BW_RANK_ALLG, "list of goroutines")                                                            \
  X(BW_RANK_GPOOL, "pool of goroutines")                                                           \
  X(BW_RANK_SCHED, "scheduler")                                                                    \
  X(BW_RANK_TRACE, "trace")                                                                        \
  X(BW_RANK_LOCK_WATCH, "lock watch")                                                              \
  X(BW_RANK_HEAPS, "list of heaps")                                                                \
  X(BW_RANK_HEAP, "heap")                                                                          \
  X(BW_RANK_ALLOC_DEBUG, "debug allocator")                                                        \
  X(BW_RANK_CACHES, "list of thread caches")                                                       \
  X(BW_RANK_BUDGET, "budget of thread caches")                                                     \
  X(BW_RANK_CENTRAL, "central free list")                                                          \
  X(BW_RANK_PROFILE, "heap profile")                                                               \
  X(BW_RANK_PAGEHEAP, "page heap")

typedef enum {
#define BW_RANK_ENUM(name, text) name,
  BW_RANKS(BW_RANK_ENUM)
#undef BW_RANK_ENUM
      BW_RANK_COUNT
} bw__rank;

#if BW_DEBUG
void bw__rank_push(bw__rank r);
void bw__rank_pop(bw__rank r);
#else
static inline void bw__rank_push(bw__rank r) { (void)r; }
static inline void bw__rank_pop(bw__rank r) { (void)r; }
#endif

#endif
