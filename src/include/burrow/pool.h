/// @file pool.h  Pools of things that are costly to make: Go's sync.Pool.
///
///     static void *make_buffer(void *arg) { return bw_malloc(65536); }
///
///     static bw_pool buffers = BW_POOL(make_buffer, bw_free);
///     char *b = bw_pool_get(&buffers);   // one that somebody has put there, or a new one
///     if (!b) return BW_ENOMEM;
///     snprintf(b, 65536, "page %d", 7);
///     printf("%s\n", b);                 // prints page 7
///     bw_pool_put(&buffers, b);
///
/// A pool keeps what is put into it for whoever gets next, in any order, and drops it when nobody
/// has for a while. Each P has a place of its own that needs no lock: what a goroutine puts, it or
/// the next on its P gets back first. Who finds nothing there takes from the others.
///
/// Ageing takes the place of Go's garbage collections: bw_pools_age makes every item of every pool
/// a generation older. An item that nobody gets lives through one ageing, and the second drops it.
/// A runtime does that every two minutes by itself, on a goroutine, if the program has not; on
/// wasm, which has no thread for it, only the program does. What a P has in reach of itself alone
/// (one or two items) may stay for longer when it is busy at the time: until it next uses that
/// pool.
///
/// All may be used from goroutines and from plain threads, which have one place together, under a
/// lock. Nothing parks but `make` and `drop`, if they do.
#ifndef BURROW_POOL_H
#define BURROW_POOL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Zero-initialised it is ready, and without both functions. Must not be copied once it is used.
typedef struct bw_pool {
  void *(*make)(void *arg); ///< makes an item; NULL: bw_pool_get returns NULL in its place
  void (*drop)(void *item); ///< frees one; NULL: nothing is to be freed. Must return: no panic, no
                            ///< bw_goexit; and it must not drain this pool
  void *arg;                ///< make's
  struct bw__pool_state *state; // made by the first put
} bw_pool;

#define BW_POOL(make_fn, drop_fn)                                                                  \
  { (make_fn), (drop_fn), NULL, NULL }

/// An item, which is the caller's: one that was put, or what make(arg) returns, which may be NULL.
void *bw_pool_get(bw_pool *p);

/// Gives an item to the pool, of which the caller knows nothing from then on. When there is no
/// memory to keep it in, it is dropped. NULL: does nothing. What was done to the item before, who
/// gets it sees.
void bw_pool_put(bw_pool *p, void *item);

/// Drops all items and frees what the pool has. Nobody may be using the pool meanwhile; afterwards
/// it is as new. Also at the end of a pool's life. May park.
void bw_pool_drain(bw_pool *p);

/// A generation passes, in all pools: see above. Two calls at the same time may count as one. It
/// calls `drop`. While a runtime starts or ends it must not be called by a plain thread.
void bw_pools_age(void);

#ifdef __cplusplus
}
#endif
#endif
