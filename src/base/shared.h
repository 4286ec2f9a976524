// Words of the hot paths that one thread writes and others may read at any time.
//
// Natively these are relaxed or acquire/release atomics, which on common processors are plain
// moves. On wasm they are plain volatile accesses: an engine makes a full fence of every atomic
// store, however relaxed, and that would cost malloc, or a switch between goroutines, more than
// everything else they do. Plain aligned accesses never tear there.
//
// What makes the weaker form enough: a bw__tally is only ever summed up for statistics; a
// BW_SHARED word is published before the memory it describes, and whoever asks about that memory
// got its address from a thread that synchronised with them.
#ifndef BURROW_BASE_SHARED_H
#define BURROW_BASE_SHARED_H

#include "base/atomics.h"

// bw__store_own(p, v) stores to an _Atomic that only this thread looks at for the time being, or
// that becomes visible by a later, stronger store.
#if BW_WASM
#define bw__store_own(p, v) (*(__typeof__(bw__load_relaxed(p)) volatile *)(p) = (v))
#else
#define bw__store_own(p, v) bw__store_relaxed((p), (v))
#endif

#if BW_WASM
#define BW_SHARED(T)           T volatile
#define bw__shared_load(p)     (*(p))
#define bw__shared_store(p, v) (*(p) = (v))
typedef uint64_t volatile bw__tally;
#define bw__tally_read(p)     (*(p))
#define bw__tally_write(p, v) (*(p) = (v))
#else
#define BW_SHARED(T)           _Atomic(T)
#define bw__shared_load(p)     bw__load_acquire(p) // pairs with bw__shared_store
#define bw__shared_store(p, v) bw__store_release((p), (v))
typedef _Atomic(uint64_t) bw__tally;
#define bw__tally_read(p)      bw__load_relaxed(p)
#define bw__tally_write(p, v)  bw__store_relaxed((p), (v))
#endif

// A load without the lock under which the word is written, and before everything that follows, on
// every host: for who acts on what it sees. (On wasm an atomic load: a plain one on x86.)
#if BW_WASM
#define bw__shared_look(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#else
#define bw__shared_look(p) bw__shared_load(p)
#endif

// Adds in the one thread that writes `t` (or under the lock that guards it). Returns the sum.
static inline uint64_t bw__tally_add(bw__tally *t, uint64_t n) {
  uint64_t sum = bw__tally_read(t) + n;
  bw__tally_write(t, sum);
  return sum;
}

#endif
