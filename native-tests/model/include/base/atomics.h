// Stands in for src/base/atomics.h: the same operations, each a step of the model. Memory is
// sequentially consistent here; the orders in the names say what synchronises, for race.c.
#ifndef BURROW_BASE_ATOMICS_H
#define BURROW_BASE_ATOMICS_H

#include <stdatomic.h>

#include "base/config.h"
#include "model.h"

// lock_wasm.c looks at the wasm form of the lock.
#ifdef MODEL_AS_WASM
#undef BW_WASM
#define BW_WASM 1
#undef BW_ORDERED
#define BW_ORDERED 0
#endif

enum { MODEL_RELAXED = 0, MODEL_ACQUIRE = 1, MODEL_RELEASE = 2, MODEL_BOTH = 3 };

void model_atomic(model_kind kind, const volatile void *p, const char *text, const char *func,
                  int line);
void model_loaded(const volatile void *p, int order, uint64_t value);
void model_stored(const volatile void *p, int order, uint64_t value);
void model_changed(const volatile void *p, int order, bool done, uint64_t before, uint64_t after);

#define MODEL_LOAD(p, order, name)                                                                 \
  ({                                                                                               \
    __auto_type model_load_at = (p);                                                               \
    model_atomic(STEP_LOAD, model_load_at, name " " #p, __func__, __LINE__);                       \
    __auto_type model_load_value = atomic_load_explicit(model_load_at, memory_order_relaxed);      \
    model_loaded(model_load_at, (order), (uint64_t)model_load_value);                              \
    model_load_value;                                                                              \
  })

#define MODEL_STORE(p, v, order, name)                                                             \
  ({                                                                                               \
    __auto_type model_store_at = (p);                                                              \
    __typeof__(atomic_load_explicit(model_store_at, memory_order_relaxed)) model_store_value =     \
        (v);                                                                                       \
    model_atomic(STEP_STORE, model_store_at, name " " #p, __func__, __LINE__);                     \
    atomic_store_explicit(model_store_at, model_store_value, memory_order_relaxed);                \
    model_stored(model_store_at, (order), (uint64_t)model_store_value);                            \
  })

#define MODEL_RMW(p, v, order, name, does)                                                         \
  ({                                                                                               \
    __auto_type model_rmw_at = (p);                                                                \
    __typeof__(atomic_load_explicit(model_rmw_at, memory_order_relaxed)) model_rmw_value = (v);    \
    model_atomic(STEP_RMW, model_rmw_at, name " " #p, __func__, __LINE__);                         \
    __auto_type model_rmw_before = does(model_rmw_at, model_rmw_value, memory_order_relaxed);      \
    model_changed(model_rmw_at, (order), true, (uint64_t)model_rmw_before,                         \
                  (uint64_t)atomic_load_explicit(model_rmw_at, memory_order_relaxed));             \
    model_rmw_before;                                                                              \
  })

#define MODEL_CAS(p, expected, v, order, name)                                                     \
  ({                                                                                               \
    __auto_type model_cas_at = (p);                                                                \
    __auto_type model_cas_expected = (expected);                                                   \
    __typeof__(atomic_load_explicit(model_cas_at, memory_order_relaxed)) model_cas_value = (v);    \
    model_atomic(STEP_RMW, model_cas_at, name " " #p, __func__, __LINE__);                         \
    bool model_cas_done =                                                                          \
        atomic_compare_exchange_strong_explicit(model_cas_at, model_cas_expected, model_cas_value, \
                                                memory_order_relaxed, memory_order_relaxed);       \
    model_changed(model_cas_at, (order), model_cas_done, (uint64_t)*model_cas_expected,            \
                  (uint64_t)atomic_load_explicit(model_cas_at, memory_order_relaxed));             \
    model_cas_done;                                                                                \
  })

#define bw__load_relaxed(p)     MODEL_LOAD(p, MODEL_RELAXED, "load_relaxed")
#define bw__load_acquire(p)     MODEL_LOAD(p, MODEL_ACQUIRE, "load_acquire")
#define bw__load(p)             MODEL_LOAD(p, MODEL_ACQUIRE, "load")
#define bw__store_relaxed(p, v) MODEL_STORE(p, v, MODEL_RELAXED, "store_relaxed")
#define bw__store_release(p, v) MODEL_STORE(p, v, MODEL_RELEASE, "store_release")
#define bw__store(p, v)         MODEL_STORE(p, v, MODEL_RELEASE, "store")
#define bw__add_relaxed(p, v)                                                                      \
  MODEL_RMW(p, v, MODEL_RELAXED, "add_relaxed", atomic_fetch_add_explicit)
#define bw__add(p, v) MODEL_RMW(p, v, MODEL_BOTH, "add", atomic_fetch_add_explicit)
#define bw__sub(p, v) MODEL_RMW(p, v, MODEL_BOTH, "sub", atomic_fetch_sub_explicit)
#define bw__swap_acquire(p, v)                                                                     \
  MODEL_RMW(p, v, MODEL_ACQUIRE, "swap_acquire", atomic_exchange_explicit)
#define bw__swap_release(p, v)                                                                     \
  MODEL_RMW(p, v, MODEL_RELEASE, "swap_release", atomic_exchange_explicit)
#define bw__swap(p, v)                  MODEL_RMW(p, v, MODEL_BOTH, "swap", atomic_exchange_explicit)
#define bw__cas(p, expected, v)         MODEL_CAS(p, expected, v, MODEL_BOTH, "cas")
#define bw__cas_acquire(p, expected, v) MODEL_CAS(p, expected, v, MODEL_ACQUIRE, "cas_acquire")

// For the plain fields of public headers, whose builtins are given these names (mutants.cmake). A
// change that fails is taken to synchronise as one that succeeds.
#define MODEL_FIELD(p) ((_Atomic(__typeof__(+*(p))) *)(p))
#define MODEL_ORDER(o)                                                                             \
  ((o) == __ATOMIC_RELAXED   ? MODEL_RELAXED                                                       \
   : (o) == __ATOMIC_ACQUIRE ? MODEL_ACQUIRE                                                       \
   : (o) == __ATOMIC_RELEASE ? MODEL_RELEASE                                                       \
                             : MODEL_BOTH)
#define model_atomic_load_n(p, o)     MODEL_LOAD(MODEL_FIELD(p), MODEL_ORDER(o), "load")
#define model_atomic_store_n(p, v, o) MODEL_STORE(MODEL_FIELD(p), v, MODEL_ORDER(o), "store")
#define model_atomic_fetch_add(p, v, o)                                                            \
  MODEL_RMW(MODEL_FIELD(p), v, MODEL_ORDER(o), "add", atomic_fetch_add_explicit)
#define model_atomic_fetch_sub(p, v, o)                                                            \
  MODEL_RMW(MODEL_FIELD(p), v, MODEL_ORDER(o), "sub", atomic_fetch_sub_explicit)
#define model_atomic_sub_fetch(p, v, o) (model_atomic_fetch_sub(p, v, o) - (v))
#define model_atomic_compare_exchange_n(p, expected, v, weak, o, failed)                           \
  MODEL_CAS(MODEL_FIELD(p), expected, v, MODEL_ORDER(o), "cas")

#define bw__count_own(p, n) bw__store_relaxed((p), bw__load_relaxed(p) + (n))

static inline void bw__cpu_relax(void) {}

#endif
