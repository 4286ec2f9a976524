/// @file mutex.h  Locks, with Go's semantics: mutexes, read-write mutexes; and below them spin
/// locks and counting semaphores.
///
/// A value that is all zeros is ready to use and needs no end; it must not be copied once it was
/// used. All of them work between goroutines, which park, and plain threads, which block, in any
/// mixture. None is recursive: who locks twice waits for itself. None belongs to its locker:
/// another goroutine or thread may unlock (but for spin locks). A browser's main thread may not
/// wait: there only the try forms and unlocking make sense.
///
///     static bw_mutex mu;                  // all zeros
///     static int hits;                     // guarded by mu
///     bw_mutex_lock(&mu);
///     hits++;
///     bw_mutex_unlock(&mu);
///     int code = bw_mutex_lock_until(&mu, bw_now() + BW_SECOND);
///     if (code == 0) {                     // BW_ETIMEDOUT: somebody has it for so long
///       printf("%d\n", hits);              // prints 1
///       bw_mutex_unlock(&mu);
///     }
///
/// The memory of one must stay until all calls on it have returned; but for the unlock of a mutex
/// and the release of a semaphore, which do not touch it any more once somebody has got what they
/// gave.
///
/// Plain threads that will unlock, or release, what goroutines wait for count as outside help only
/// if they say so (bw_outside_enter in go.h); else all goroutines that wait are a deadlock.
///
/// The end of a run (bw_run) ends its goroutines where they stand: what they hold stays locked, and
/// what they wait for may believe that it has given them something. A lock that goroutines of an
/// ended run have held or waited for is set to all zeros before it is used again. (Its memory may
/// be reused at once: nobody is left that looks at it.)
///
/// What was done before an unlock is seen after the lock that it allows; likewise release and
/// acquire.
///
/// Forms that end in `_until` give up at `deadline`, which is a time of bw_now(): 0, or
/// BW_ETIMEDOUT, and then nothing was taken. What can be had at once is had, though the deadline be
/// past. Their counterparts that give up when a context ends are in context.h.
#ifndef BURROW_MUTEX_H
#define BURROW_MUTEX_H

#include <burrow/error.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- mutex --------------------------------------------------------------------------------------

/// Go's sync.Mutex, in its two modes. Normal: who has waited is woken by an unlock, and competes
/// with newcomers, who are quicker, since they run already; it is the faster way. When somebody has
/// waited in vain for a millisecond the mutex goes into starvation mode: unlock gives it to the one
/// who waits longest, and newcomers queue. It is normal again when its new owner is the last who
/// waits, or has waited for less than a millisecond.
typedef struct bw_mutex {
  int32_t state; ///< not to be touched
  uint32_t sema; ///< not to be touched
} bw_mutex;

// The ways that are not the short ones below; not to be called.
void bw__mutex_lock_contended(bw_mutex *mu);
void bw__mutex_unlock_contended(bw_mutex *mu);

/// Locks. May park.
static inline void bw_mutex_lock(bw_mutex *mu) {
  int32_t unlocked = 0;
  if (__builtin_expect(!__atomic_compare_exchange_n(&mu->state, &unlocked, 1, 0, __ATOMIC_ACQUIRE,
                                                    __ATOMIC_RELAXED),
                       0))
    bw__mutex_lock_contended(mu);
}

/// Locks if that is possible at once. False: somebody has it, or it is about to be handed to one
/// who waits. Never parks.
bool bw_mutex_trylock(bw_mutex *mu);

/// Locks, before the deadline. May park. 0 or BW_ETIMEDOUT.
int bw_mutex_lock_until(bw_mutex *mu, int64_t deadline);

/// Unlocks. Never waits; in starvation mode the goroutine that gets the mutex runs at once, in the
/// caller's place, who goes on when it is its turn again. That of an unlocked mutex is fatal, and
/// cannot be recovered: "sync: unlock of unlocked mutex".
static inline void bw_mutex_unlock(bw_mutex *mu) {
  int32_t locked = 1;
  if (__builtin_expect(!__atomic_compare_exchange_n(&mu->state, &locked, 0, 0, __ATOMIC_RELEASE,
                                                    __ATOMIC_RELAXED),
                       0))
    bw__mutex_unlock_contended(mu);
}

// ---- read-write mutex ---------------------------------------------------------------------------

/// Go's sync.RWMutex: held by any number of readers, or by one writer. A writer that waits keeps
/// new readers out, so it will have its turn; when it unlocks, the readers that wait go first. So
/// nobody may take the read side twice: between the two a writer may have come, who waits for the
/// first while the second waits for him. No more than 2^30 - 1 readers at a time.
typedef struct bw_rwmutex {
  uint64_t word __attribute__((aligned(8))); ///< not to be touched
  bw_mutex writers;                          ///< not to be touched
  uint32_t reader_sema;                      ///< not to be touched
  uint32_t writer_sema;                      ///< not to be touched
} bw_rwmutex;

// Bits of the word: those of readers inside, and of a writer who waits or is inside.
#define BW__RW_READERS ((UINT64_C(1) << 30) - 1)
#define BW__RW_WRITER  (UINT64_C(3) << 30)

// As above.
void bw__rwmutex_rlock_contended(bw_rwmutex *rw);
void bw__rwmutex_runlock_contended(bw_rwmutex *rw, uint64_t before);

/// Locks for reading. May park.
static inline void bw_rwmutex_rlock(bw_rwmutex *rw) {
  uint64_t before = __atomic_fetch_add(&rw->word, 1, __ATOMIC_ACQUIRE);
  if (__builtin_expect((before & BW__RW_WRITER) != 0, 0)) bw__rwmutex_rlock_contended(rw);
}

/// Gives up one reader's lock. Never waits. Without a reader that is fatal: "sync: RUnlock of
/// unlocked RWMutex".
static inline void bw_rwmutex_runlock(bw_rwmutex *rw) {
  uint64_t before = __atomic_fetch_sub(&rw->word, 1, __ATOMIC_RELEASE);
  if (__builtin_expect((before & BW__RW_WRITER) || !(before & BW__RW_READERS), 0))
    bw__rwmutex_runlock_contended(rw, before);
}

/// Locks for writing. May park.
void bw_rwmutex_lock(bw_rwmutex *rw);
/// Gives up the writer's lock. Never waits; as bw_mutex_unlock it may let another writer run at
/// once. Without a writer inside that is fatal: "sync: Unlock of
/// unlocked RWMutex".
void bw_rwmutex_unlock(bw_rwmutex *rw);

/// Lock if that is possible at once. False: there is a writer, or one waits; for writing, also:
/// there is a reader. Never wait.
bool bw_rwmutex_try_rlock(bw_rwmutex *rw);
bool bw_rwmutex_try_lock(bw_rwmutex *rw);

/// Lock, before the deadline. May park. 0 or BW_ETIMEDOUT. A writer who gives up lets those readers
/// in whom it kept out.
int bw_rwmutex_rlock_until(bw_rwmutex *rw, int64_t deadline);
int bw_rwmutex_lock_until(bw_rwmutex *rw, int64_t deadline);

// ---- any lock -----------------------------------------------------------------------------------

/// Go's sync.Locker: something that can be locked, for those who need not know what it is. Borrows
/// what it was made from. It cannot be waited for with a deadline or a context: a program may make
/// one of any two functions, and to lock for some time only takes more than these. Who needs that
/// locks what is behind it (bw_mutex_lock_ctx).
typedef struct bw_locker {
  void (*lock)(void *self);
  void (*unlock)(void *self);
  void *self;
} bw_locker;

bw_locker bw_mutex_locker(bw_mutex *mu);
bw_locker bw_rwmutex_locker(bw_rwmutex *rw);  ///< the writer's side
bw_locker bw_rwmutex_rlocker(bw_rwmutex *rw); ///< the readers' side (Go: RLocker)

/// Locks. May park.
static inline void bw_locker_lock(bw_locker l) { l.lock(l.self); }
/// Unlocks. Does not park, if its function does not.
static inline void bw_locker_unlock(bw_locker l) { l.unlock(l.self); }

// ---- counting semaphore -------------------------------------------------------------------------

/// A number of permits, at most 2^32 - 1. `bw_sema s = BW_SEMA(3);` begins with three; all zeros is
/// one with none. Who waits is served first come, first served, but for newcomers that find a
/// permit at once.
///
///     static bw_sema seats = BW_SEMA(2);           // no more than two at the same time
///     bw_sema_acquire(&seats);
///     printf("%d", bw_sema_try_acquire(&seats));   // prints 1
///     printf("%d\n", bw_sema_try_acquire(&seats)); // prints 0
///     bw_sema_release(&seats, 2);
typedef struct bw_sema {
  uint32_t permits; ///< not to be touched
} bw_sema;

#define BW_SEMA(n)                                                                                 \
  { (uint32_t)(n) }

void bw_sema_acquire(bw_sema *s);                        ///< takes a permit. May park
bool bw_sema_try_acquire(bw_sema *s);                    ///< false: there is none. Never parks
int bw_sema_acquire_until(bw_sema *s, int64_t deadline); ///< 0 or BW_ETIMEDOUT. May park
void bw_sema_release(bw_sema *s, uint32_t n);            ///< gives n permits. Never waits

// ---- spin lock ----------------------------------------------------------------------------------

/// A lock for sections of a few instructions in which nothing waits, parks or yields: who waits for
/// it does not park but looks again and again, less and less often, and then lets others run
/// between two looks (bw_gosched on a goroutine, sched_yield elsewhere). It is never handed over,
/// so somebody may have to wait for long while others take turns. If in doubt take a bw_mutex,
/// which is as fast when it is free.
///
/// In code compiled without NDEBUG it knows its owner: locking it twice, and unlocking what another
/// has or nobody, are fatal errors ("spin lock: ..."). (In bw_blocking a goroutine is none of the
/// runtime's: a section begins and ends on the same side of it.)
typedef struct bw_spinlock {
  uintptr_t word; ///< not to be touched
} bw_spinlock;

// As above. `owner`: who asks, as the word says it; 1: not known.
void bw__spin_lock_contended(bw_spinlock *s, uintptr_t owner);
enum { BW__SPIN_TO_LOCK, BW__SPIN_TO_TRY, BW__SPIN_TO_UNLOCK };
uintptr_t bw__spin_owner(const bw_spinlock *s, int purpose);

#ifdef NDEBUG
#define BW__SPIN_OWNER(s, purpose) ((uintptr_t)1)
#else
#define BW__SPIN_OWNER(s, purpose) bw__spin_owner((s), (purpose))
#endif

/// False: somebody has it.
static inline bool bw_spin_trylock(bw_spinlock *s) {
  uintptr_t unlocked = 0;
  return __atomic_compare_exchange_n(&s->word, &unlocked, BW__SPIN_OWNER(s, BW__SPIN_TO_TRY), 0,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/// Locks. Never parks; a goroutine that has looked for long yields.
static inline void bw_spin_lock(bw_spinlock *s) {
  uintptr_t unlocked = 0, owner = BW__SPIN_OWNER(s, BW__SPIN_TO_LOCK);
  if (__builtin_expect(!__atomic_compare_exchange_n(&s->word, &unlocked, owner, 0, __ATOMIC_ACQUIRE,
                                                    __ATOMIC_RELAXED),
                       0))
    bw__spin_lock_contended(s, owner);
}

/// Unlocks.
static inline void bw_spin_unlock(bw_spinlock *s) {
  (void)BW__SPIN_OWNER(s, BW__SPIN_TO_UNLOCK);
  __atomic_store_n(&s->word, 0, __ATOMIC_RELEASE);
}

// ---- watching: see locks.h ----------------------------------------------------------------------
//
// Each form above is a function, whose address may be taken and which tells the watch nothing, and
// a macro of the same name, which does so with the place of the call.

enum { BW__LOCK_MUTEX, BW__LOCK_READ, BW__LOCK_WRITE, BW__LOCK_SPIN }; // what is locked, and how

extern int bw__locks_watched;
int bw__watched_lock(void *lock, int form, int64_t deadline, const char *place);
bool bw__watched_trylock(void *lock, int form, const char *place);
void bw__watched_unlock(void *lock, int form);

#define BW__WATCHED      __builtin_expect(__atomic_load_n(&bw__locks_watched, __ATOMIC_RELAXED), 0)
#define BW__TEXT_OF(x)   #x
#define BW__LINE_TEXT(x) BW__TEXT_OF(x)
#define BW__HERE         __FILE__ ":" BW__LINE_TEXT(__LINE__)

#define BW__WATCHED_LOCK(name, type, form)                                                         \
  static inline void bw__##name##_at(type *lock, const char *place) {                              \
    if (BW__WATCHED)                                                                               \
      bw__watched_lock(lock, form, INT64_MAX, place);                                              \
    else                                                                                           \
      bw_##name(lock);                                                                             \
  }
#define BW__WATCHED_TRY(name, type, form)                                                          \
  static inline bool bw__##name##_at(type *lock, const char *place) {                              \
    return BW__WATCHED ? bw__watched_trylock(lock, form, place) : bw_##name(lock);                 \
  }
#define BW__WATCHED_UNTIL(name, type, form)                                                        \
  static inline int bw__##name##_at(type *lock, int64_t deadline, const char *place) {             \
    return BW__WATCHED ? bw__watched_lock(lock, form, deadline, place)                             \
                       : bw_##name(lock, deadline);                                                \
  }
#define BW__WATCHED_UNLOCK(name, type, form)                                                       \
  static inline void bw__##name##_watched(type *lock) {                                            \
    if (BW__WATCHED) bw__watched_unlock(lock, form);                                               \
    bw_##name(lock);                                                                               \
  }

BW__WATCHED_LOCK(mutex_lock, bw_mutex, BW__LOCK_MUTEX)
BW__WATCHED_LOCK(rwmutex_rlock, bw_rwmutex, BW__LOCK_READ)
BW__WATCHED_LOCK(rwmutex_lock, bw_rwmutex, BW__LOCK_WRITE)
BW__WATCHED_LOCK(spin_lock, bw_spinlock, BW__LOCK_SPIN)
BW__WATCHED_TRY(mutex_trylock, bw_mutex, BW__LOCK_MUTEX)
BW__WATCHED_TRY(rwmutex_try_rlock, bw_rwmutex, BW__LOCK_READ)
BW__WATCHED_TRY(rwmutex_try_lock, bw_rwmutex, BW__LOCK_WRITE)
BW__WATCHED_TRY(spin_trylock, bw_spinlock, BW__LOCK_SPIN)
BW__WATCHED_UNTIL(mutex_lock_until, bw_mutex, BW__LOCK_MUTEX)
BW__WATCHED_UNTIL(rwmutex_rlock_until, bw_rwmutex, BW__LOCK_READ)
BW__WATCHED_UNTIL(rwmutex_lock_until, bw_rwmutex, BW__LOCK_WRITE)
BW__WATCHED_UNLOCK(mutex_unlock, bw_mutex, BW__LOCK_MUTEX)
BW__WATCHED_UNLOCK(rwmutex_runlock, bw_rwmutex, BW__LOCK_READ)
BW__WATCHED_UNLOCK(rwmutex_unlock, bw_rwmutex, BW__LOCK_WRITE)
BW__WATCHED_UNLOCK(spin_unlock, bw_spinlock, BW__LOCK_SPIN)

#ifndef BW_LOCKS_UNWATCHED // defined while the library itself is compiled
#define bw_mutex_lock(mu)                   bw__mutex_lock_at((mu), BW__HERE)
#define bw_mutex_trylock(mu)                bw__mutex_trylock_at((mu), BW__HERE)
#define bw_mutex_lock_until(mu, deadline)   bw__mutex_lock_until_at((mu), (deadline), BW__HERE)
#define bw_mutex_unlock(mu)                 bw__mutex_unlock_watched(mu)
#define bw_rwmutex_rlock(rw)                bw__rwmutex_rlock_at((rw), BW__HERE)
#define bw_rwmutex_try_rlock(rw)            bw__rwmutex_try_rlock_at((rw), BW__HERE)
#define bw_rwmutex_rlock_until(rw, d)       bw__rwmutex_rlock_until_at((rw), (d), BW__HERE)
#define bw_rwmutex_runlock(rw)              bw__rwmutex_runlock_watched(rw)
#define bw_rwmutex_lock(rw)                 bw__rwmutex_lock_at((rw), BW__HERE)
#define bw_rwmutex_try_lock(rw)             bw__rwmutex_try_lock_at((rw), BW__HERE)
#define bw_rwmutex_lock_until(rw, deadline) bw__rwmutex_lock_until_at((rw), (deadline), BW__HERE)
#define bw_rwmutex_unlock(rw)               bw__rwmutex_unlock_watched(rw)
#define bw_spin_lock(s)                     bw__spin_lock_at((s), BW__HERE)
#define bw_spin_trylock(s)                  bw__spin_trylock_at((s), BW__HERE)
#define bw_spin_unlock(s)                   bw__spin_unlock_watched(s)
#endif

#ifdef __cplusplus
}
#endif
#endif
