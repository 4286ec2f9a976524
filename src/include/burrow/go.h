/// @file go.h  Goroutines: start the runtime, start goroutines, yield, sleep.
///
/// Goroutines run on P "processors", each served by one OS thread at a time, and may move between
/// threads whenever they block or yield: keep no address of a thread-local variable (errno is one)
/// across a call that may park. Preemption is cooperative: a goroutine that neither blocks nor
/// yields keeps its thread. Every function says whether it may park.
///
///     static void work(void *arg) {
///       int result = 7;
///       bw_chan_send(arg, &result);
///     }
///     static int app(void *arg) {                      // the main goroutine
///       bw_chan *results = bw_chan_make(sizeof(int), 0);
///       if (!results || bw_go(work, results) < 0) return BW_ENOMEM;
///       int result;
///       bw_chan_recv(results, &result);                // parks until it comes
///       printf("%d\n", result);                        // prints 7
///       bw_chan_release(results);
///       return 0;
///     }
///
///     bw_options options = {.procs = 2};               // or NULL
///     return bw_run(app, NULL, &options);
#ifndef BURROW_GO_H
#define BURROW_GO_H

#include <burrow/defer.h> // bw_panic, bw_goexit
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How to run. Zero-initialise and set what you need; NULL means all defaults.
typedef struct bw_options {
  int procs; ///< Ps (GOMAXPROCS). 0: $BURROW_PROCS, else one per core. 1..1024. wasi: 1
  size_t
      stack_size;  ///< bytes a goroutine's stack; 0: the target's default (bw_stack_size_default).
                   ///< The main goroutine has at least 1 MB, on wasm 256 KB
  int threads_max; ///< more threads than this end the program with "thread exhaustion"; 0: 10,000
} bw_options;

/// Runs `fn(arg)` as the main goroutine (goroutine 1) and returns what it returns. The calling
/// thread serves as one of the threads meanwhile. When the main goroutine returns, the program's
/// other goroutines end too: those that are running reach their next blocking call or yield first,
/// parked ones never run again, and what they own in memory is not released for them; the channels
/// they waited on may be used on. Plain threads must have stopped using the runtime (bw_go,
/// bw_debug_dump, channels shared with goroutines) before the main goroutine returns. Negative
/// BW_E... when it did not run: ENOMEM, EINVAL (options), ESTATE (a runtime is running already). It
/// waits for calls of bw_blocking that are still under way. Let `fn` return other values than these
/// where the difference matters.
int bw_run(int (*fn)(void *arg), void *arg, const bw_options *options);

/// Starts `fn(arg)` on a new goroutine. 0, or BW_ENOMEM (nothing was started), or BW_ESTATE when no
/// runtime is running (on a plain thread: see bw_run for when that may be asked). `fn` == NULL is
/// Go's fatal error "go of nil func value". `arg` is passed on as it is: the caller keeps it alive.
/// Any thread may call. Does not park.
int bw_go(void (*fn)(void *arg), void *arg);

/// As bw_go, with a choice of name and stack.
typedef struct bw_go_options {
  const char *name;  ///< shown in dumps; copied, cut to 23 bytes; NULL: none
  size_t stack_size; ///< bytes; 0: the runtime's default
  size_t arg_size; ///< > 0: `arg` points to so many bytes, which are copied to the new goroutine's
                   ///< stack; fn gets the copy, aligned to 16. 0: `arg` is passed on as it is
} bw_go_options;
int bw_go_with(const bw_go_options *options, void (*fn)(void *arg), void *arg);

/// Lets other goroutines run (runtime.Gosched). On a plain thread: the OS's yield. May park.
void bw_gosched(void);

/// Calls fn(arg), which may block its thread (a system call, a wait of the C library's), while
/// other goroutines go on: the goroutine keeps its thread and gives up its P for the time. Inside,
/// the thread counts as a plain thread: fn may use channels (they block the thread) and bw_go. On a
/// plain thread, and on wasi, it is a plain call. May park when fn has returned. When no thread can
/// be started for those who go on, that is a fatal error ("cannot start a thread").
void bw_blocking(void (*fn)(void *arg), void *arg);

/// Locks the calling goroutine to its thread (runtime.LockOSThread): it runs nowhere else, and the
/// thread runs nothing else, until bw_unlock_os_thread was called as often, or the goroutine ends
/// (the thread lives on). For libraries that keep state in thread-local variables. Switching to and
/// from such a goroutine means switching threads. 0; BW_ESTATE on a plain thread; BW_ENOTSUP where
/// the runtime cannot start threads of its own (under JavaScript). Does not park.
int bw_lock_os_thread(void);
void bw_unlock_os_thread(void);

/// Sleeps at least `ns` nanoseconds; returns at once for ns <= 0. May park; on a plain thread,
/// blocks the thread.
void bw_sleep(int64_t ns);

/// Monotonic clock, nanoseconds from an arbitrary start, the same for all threads. Deadlines are
/// points on it.
int64_t bw_now(void);

/// The current goroutine's number (main is 1), or 0 on a plain thread.
uint64_t bw_goid(void);

/// Sets the number of Ps to n, 1..1024, and returns what it was (runtime.GOMAXPROCS); n <= 0 only
/// asks. Threads are started as there is work for them. When the number shrinks, goroutines that
/// run go on until they next block or yield. BW_EINVAL: n is too large. BW_ENOMEM. BW_ESTATE: no
/// runtime is running. On wasi there is always 1.
int bw_gomaxprocs(int n);

/// Number of Ps of the running runtime; 0 when none is running.
int bw_procs(void);
/// Number of goroutines that have not ended (runtime.NumGoroutine).
int bw_num_goroutine(void);
/// Index (0..bw_procs()-1) of the P that runs the current goroutine; -1 on a plain thread.
/// Old news as soon as it is read: the goroutine may move at its next blocking call.
int bw_proc_index(void);

/// Default bytes of a goroutine's stack on this target.
size_t bw_stack_size_default(void);

/// Plain threads that will still send, receive, close, unlock, signal, release or be done count as
/// outside help if they say so: while their number
/// is above zero, "all goroutines are asleep" is not a deadlock. Enter before the goroutines depend
/// on the thread (the creator may do it on the thread's behalf), leave when it is done. The count
/// outlives a run: each enter needs its leave.
void bw_outside_enter(void);
void bw_outside_leave(void);

#define BW_NANOSECOND  ((int64_t)1)
#define BW_MICROSECOND ((int64_t)1000)
#define BW_MILLISECOND ((int64_t)1000000)
#define BW_SECOND      ((int64_t)1000000000)

#ifdef __cplusplus
}
#endif
#endif
