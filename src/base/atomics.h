// Atomics in short words. The memory order is in the name: `_relaxed`, `_acquire`, `_release`;
// a name without an order is sequentially consistent. Each non-seq-cst use says what it pairs with.
#ifndef BURROW_BASE_ATOMICS_H
#define BURROW_BASE_ATOMICS_H

#include <stdatomic.h>

#include "base/config.h"

#define bw__load_relaxed(p)     atomic_load_explicit((p), memory_order_relaxed)
#define bw__load_acquire(p)     atomic_load_explicit((p), memory_order_acquire)
#define bw__load(p)             atomic_load((p))
#define bw__store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define bw__store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)
#define bw__store(p, v)         atomic_store((p), (v))
#define bw__add_relaxed(p, v)   atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define bw__add(p, v)           atomic_fetch_add((p), (v))
#define bw__sub(p, v)           atomic_fetch_sub((p), (v))
#define bw__swap_acquire(p, v)  atomic_exchange_explicit((p), (v), memory_order_acquire)
#define bw__swap_release(p, v)  atomic_exchange_explicit((p), (v), memory_order_release)
#define bw__swap(p, v)          atomic_exchange((p), (v))
#define bw__cas(p, expected, v) atomic_compare_exchange_strong((p), (expected), (v))
#define bw__cas_acquire(p, expected, v)                                                            \
  atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_acquire,              \
                                          memory_order_relaxed)

// A counter with one writer: no locked instruction, yet readers in other threads see whole values.
#define bw__count_own(p, n) bw__store_relaxed((p), bw__load_relaxed(p) + (n))

// Tells the core that this is a wait loop.
static inline void bw__cpu_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#else
  __asm__ volatile("" ::: "memory");
#endif
}

#endif
