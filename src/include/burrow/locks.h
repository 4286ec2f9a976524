/// @file locks.h  Seeing locks: names, who holds what and who waits, how long; and a check of the
/// order in which they are taken.
///
/// Of JavaScript's locks (the npm package) nothing is known.
///
/// Watching is off until bw_locks_watch(true), or BURROW_DEBUG=locks=1 (debug.h), asks for it: then
/// each lock and unlock of a bw_mutex, bw_rwmutex or bw_spinlock is written down, which makes it
/// some ten times as slow. While it is off they pay one load and a branch that is never taken.
/// What follows needs watching, but for names.
///
/// **Order.** Whoever takes a lock while it holds others lays down that these come first. When a
/// lock is wanted whose place in that order is before one that is held already, two who do so at
/// the same moment may wait for each other for ever, even if nobody has yet. That is reported once
/// on stderr, with both places, and counted:
///
///     bw_mutex from = {0}, to = {0};
///     bw_locks_watch(true);
///     bw_lock_name(&from, "from");
///     bw_lock_name(&to, "to");
///     bw_mutex_lock(&from);
///     bw_mutex_lock(&to);
///     bw_mutex_unlock(&to);
///     bw_mutex_unlock(&from);
///     bw_mutex_lock(&to);
///     bw_mutex_lock(&from); // one is after the other here, so nobody waits; but it is told
///     bw_mutex_unlock(&from);
///     bw_mutex_unlock(&to);
///     printf("%d\n", (int)bw_lock_circles()); // prints 1
///
///     > burrow: locks are taken in a circle, which may deadlock:
///     >   goroutine 1 wants mutex "from" at bank.c:31, and holds mutex "to", taken at bank.c:30
///     >   earlier mutex "to" was wanted at bank.c:27 by one that held mutex "from", taken at
///     >   bank.c:26
///
/// Who wants a lock that it holds already is told of as well, each time, and not counted.
///
/// A try form may be used in any order: it is not checked, only what is taken after it.
///
/// A lock is known by its address. When its memory is freed and becomes another lock, whose order
/// may be another, call bw_lock_forget first.
///
/// All functions may be called by any thread and by goroutines, also without a runtime. None parks.
#ifndef BURROW_LOCKS_H
#define BURROW_LOCKS_H

#include <burrow/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BW_LOCK_NAME = 24 }; ///< bytes of a name that are kept, with the NUL

/// Switches watching on or off, for all locks; returns what it was. Locks that are held at that
/// moment are not known as held. Off forgets who holds what, and keeps names, counts and order.
bool bw_locks_watch(bool on);

/// Gives the lock at this address a name for dumps and reports; it is copied, and cut if it is too
/// long. NULL takes the name away. 0 or BW_ENOMEM. (When there is no memory to write something
/// down, the other functions leave it out.)
int bw_lock_name(const void *lock, const char *name);

/// Forgets all about the lock at this address, which nobody holds or waits for.
void bw_lock_forget(const void *lock);

/// What is known of a lock. Times are in nanoseconds.
typedef struct bw_lock_info {
  const void *lock;
  const char *kind;        ///< "mutex", "rwmutex", "spin lock"; "lock": only its name is known
  char name[BW_LOCK_NAME]; ///< empty: none
  uint32_t holders;        ///< how many hold it now; more than 1: readers
  uint64_t owner;          ///< the goroutine that has held it longest, 0: none, or a plain thread
  const char *held_at;     ///< where that took it, "file:line"; NULL: nobody holds it
  uint64_t taken;          ///< times it was taken
  uint64_t waited;         ///< times somebody had to wait for it first
  int64_t wait_ns, longest_wait_ns; ///< in all; the longest single one
  int64_t hold_ns, longest_hold_ns; ///< likewise, of those that have ended
  const char *waited_most_at;       ///< the place of the longest wait; NULL: none
  const char *held_most_at;         ///< the place of the longest hold; NULL: none
} bw_lock_info;

/// The contention profile: up to `n` locks into `out`, those first that cost the most waiting.
/// Returns how many locks are known. `out` may be NULL if n is 0.
size_t bw_locks_read(bw_lock_info *out, size_t n);

/// How many circles have been reported since the process started.
uint64_t bw_lock_circles(void);

/// The same as text on stderr, a line a lock, 20 locks at the most.
void bw_locks_print(void);

#ifdef __cplusplus
}
#endif
#endif
