/// @file sync.h  Waiting for others: condition variables, wait groups, things that are done once
/// (Go's sync.Cond, WaitGroup, Once, OnceFunc, OnceValue). Includes mutex.h, which says what holds
/// for all: who may use them, deadlines, copies.
///
/// Goroutines that wait when a run ends do not go on. So a condition, wait group or once that some
/// wait at, or are inside of, when bw_run returns must be set to its beginning again (all zeros,
/// BW_COND) before it is used again. Its memory must stay until bw_run has returned, and may be
/// reused at once then.
#ifndef BURROW_SYNC_H
#define BURROW_SYNC_H

#include <burrow/mutex.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- condition variables ------------------------------------------------------------------------

/// Where goroutines and threads wait for something to become true that a lock guards.
///
///     static bw_mutex mu;
///     static bw_cond filled = BW_COND(&mu);
///     static int n;                            // guarded by mu
///     static void fill(void *arg) {
///       bw_mutex_lock(&mu);
///       n++;
///       bw_mutex_unlock(&mu);
///       bw_cond_signal(&filled);
///     }
///
///     if (bw_go(fill, NULL) < 0) return BW_ENOMEM;
///     bw_mutex_lock(&mu);
///     while (n == 0) bw_cond_wait(&filled);
///     n--;
///     bw_mutex_unlock(&mu);
///
/// Wait unlocks, waits, and locks again, as one step for whoever changes things under the lock: a
/// change that comes after the unlock, and its signal, are not missed. It returns only when it was
/// signalled (never by itself), but by then somebody else may have had the lock: look again.
/// Those who wait are woken in the order in which they came. A broadcast that is given while `mu`
/// is locked makes them wait for that, and each unlock wakes the next: so it costs no more with
/// many who wait. The condition and its lock must stay until all waits have returned, which is
/// later than the signal.
///
/// Who uses a copy of one that was used before panics "sync.Cond is copied".
typedef struct bw_cond {
  bw_mutex *mu;     ///< the lock; NULL: `locker` is
  bw_locker locker; ///< any other
  uintptr_t self;   ///< not to be touched, as all below
  uint32_t lock[2];
  uint32_t wait, notify;
  void *waiters[2];
} bw_cond;

enum { BW__COND_RANK = 2 };

/// The beginning of a bw_cond whose lock is a bw_mutex, or any bw_locker.
#define BW_COND(mutex)                                                                             \
  {                                                                                                \
    (mutex), {NULL, NULL, NULL}, 0, {0, BW__COND_RANK}, 0, 0, { NULL, NULL }                       \
  }
#define BW_COND_LOCKER(...)                                                                        \
  {                                                                                                \
    NULL, __VA_ARGS__, 0, {0, BW__COND_RANK}, 0, 0, { NULL, NULL }                                 \
  }

/// Unlocks, waits for a signal, locks. The caller has the lock. Panics "sync.Cond has no locker"
/// when the value was made without. May park.
void bw_cond_wait(bw_cond *c);
/// The same, until `deadline`: 0 or BW_ETIMEDOUT. It returns with the lock in either case, for
/// which it may have to wait after the deadline; a deadline that has passed is found before the
/// unlock. Who has given up has used up no signal. May park.
int bw_cond_wait_until(bw_cond *c, int64_t deadline);

/// Wakes the first who waits; nothing happens when nobody does. The caller may have the lock, and
/// need not. Never parks.
void bw_cond_signal(bw_cond *c);
/// Wakes all who wait. The caller may have the lock, and need not. Never parks.
void bw_cond_broadcast(bw_cond *c);

// ---- wait groups --------------------------------------------------------------------------------

/// Counts what is not done yet; any number may wait until that is 0. All zeros is ready to use.
///
///     bw_waitgroup wg = {0};
///     for (int i = 0; i < 10; i++) bw_waitgroup_go(&wg, work, &part[i]);
///     bw_waitgroup_wait(&wg);
///
/// Its memory may be freed, or go out of scope, as soon as bw_waitgroup_wait has returned to all
/// who called it, although the last bw_waitgroup_done may not have returned: that does not touch it
/// any more.
///
/// Adding to a group whose count is 0 comes before the wait; and one that is used again must not be
/// added to before all who waited have returned. Where that is seen to be otherwise, it panics, in
/// Go's words: "sync: WaitGroup misuse: Add called concurrently with Wait", "sync: WaitGroup is
/// reused before previous Wait has returned".
typedef struct bw_waitgroup {
  uint64_t state __attribute__((aligned(8))); ///< not to be touched
  uint32_t sema;                              ///< not to be touched
} bw_waitgroup;

/// Adds n, which may be negative, to the count. At 0 all who wait go on. Panics "sync: negative
/// WaitGroup counter" below 0. Never parks.
void bw_waitgroup_add(bw_waitgroup *wg, int n);
/// The same with -1. What was done before, who waits sees.
void bw_waitgroup_done(bw_waitgroup *wg);
/// Waits until the count is 0. May park.
void bw_waitgroup_wait(bw_waitgroup *wg);
/// The same before `deadline`: 0 or BW_ETIMEDOUT. May park.
int bw_waitgroup_wait_until(bw_waitgroup *wg, int64_t deadline);
/// Adds 1 and runs fn(arg) on a new goroutine; when that returns, or ends by bw_goexit or a panic,
/// it is done. 0; BW_ENOMEM, BW_ESTATE (no runtime): nothing was started or added. Never parks.
int bw_waitgroup_go(bw_waitgroup *wg, void (*fn)(void *arg), void *arg);

// ---- once ---------------------------------------------------------------------------------------

/// Something that is done once. All zeros is ready to use.
typedef struct bw_once {
  uint32_t done; ///< not to be touched
  bw_mutex mu;   ///< not to be touched
} bw_once;

void bw__once_do_first(bw_once *o, void (*fn)(void *arg), void *arg);

/// Calls fn(arg) if this is the first call with *o, whatever the others' fn is; returns when that
/// call is over, also if it is somebody else's. A call that panics, or ends its goroutine, is over
/// as well. If fn calls bw_once_do with the same *o, it waits for itself. May park.
static inline void bw_once_do(bw_once *o, void (*fn)(void *arg), void *arg) {
  if (__builtin_expect(!__atomic_load_n(&o->done, __ATOMIC_ACQUIRE), 0))
    bw__once_do_first(o, fn, arg);
}

// How a function ended that is called once.
typedef struct bw__once_end {
  int how;
  void *value;
  void (*write)(void *value, char *text, size_t room);
  char message[256];
} bw__once_end;

/// A function that is called once, however often it is asked for (Go's OnceFunc). If it panics, so
/// does every call, with the same value or message; a value must live as long as this. If it ends
/// its goroutine, calls of others panic "sync: function of a bw_once_func has ended its goroutine".
///
///     static bw_once_func connect = BW_ONCE_FUNC(open_connection, &server);
///     bw_once_func_call(&connect);
///     bw_once_func_call(&connect); // does nothing
typedef struct bw_once_func {
  void (*fn)(void *arg);
  void *arg;
  bw_once once; ///< not to be touched, as all below
  bw__once_end end;
} bw_once_func;

#define BW_ONCE_FUNC(function, argument)                                                           \
  {                                                                                                \
    (function), (argument), {0, {0, 0}}, {                                                         \
      0, NULL, NULL, { 0 }                                                                         \
    }                                                                                              \
  }

void bw_once_func_call(bw_once_func *f); ///< may park

/// The same with a result (Go's OnceValue), which every call returns. (OnceValues: a pointer to a
/// struct.)
///
///     static bw_once_value table = BW_ONCE_VALUE(make_table, NULL);
///     const int *t = bw_once_value_get(&table);
///     printf("%d\n", t == bw_once_value_get(&table)); // prints 1
typedef struct bw_once_value {
  void *(*fn)(void *arg);
  void *arg;
  void *value; ///< not to be touched, as all below
  bw_once once;
  bw__once_end end;
} bw_once_value;

#define BW_ONCE_VALUE(function, argument)                                                          \
  {                                                                                                \
    (function), (argument), NULL, {0, {0, 0}}, {                                                   \
      0, NULL, NULL, { 0 }                                                                         \
    }                                                                                              \
  }

void *bw_once_value_get(bw_once_value *v); ///< may park

#ifdef __cplusplus
}
#endif
#endif
