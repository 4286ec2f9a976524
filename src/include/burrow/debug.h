/// @file debug.h  Seeing inside: dumps and counters. Nothing here uses Burrow's allocator.
///
/// The environment variable BURROW_DEBUG asks for more; bw_run reads it. It is a list like
/// "schedtrace=1000,overstay=20" of
///
///   - schedtrace=MS   every MS milliseconds a line on stderr, as with Go's GODEBUG=schedtrace: Ps,
///                     threads, and how many goroutines wait in the global queue and in each P's.
///                     A thread that looks after the others prints it (on wasm threads it is started
///                     for that). On wasi it is printed between two switches, or before the thread
///                     goes to sleep: late if it does neither
///   - scheddetail=1   schedtrace prints a line for each P and each thread as well
///   - overstay=MS     reports goroutines that run for MS milliseconds without blocking or
///                     yielding. Not on wasi
///   - locks=1         watches locks (burrow/locks.h): dumps say who holds them, and who
///                     takes them in a circle is told
///   - trace=PATH      writes an execution trace (burrow/trace.h) when bw_run returns. Not on wasm
///                     threads, which have no files
///
/// What is wrong in it is told on stderr.
///
/// A program may look at itself as well:
///
///     bw_sched_stats now = bw_sched_stats_read();
///     if (now.goroutines > 1000) bw_debug_dump(); // who are they, and what do they wait for?
///     printf("%d\n", now.procs == bw_procs());    // prints 1
#ifndef BURROW_DEBUG_H
#define BURROW_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Prints to stderr how busy threads and Ps are, and then every goroutine: number; state or what it
/// waits for, and for how many minutes; name and function; for how long it has waited (to some 10
/// ms; on wasm as of when some thread last looked at the clock, so it may be too long), bytes of
/// its stack in use, the lock that it waits for (and who has that, if locks are watched: locks.h),
/// P and M (thread) if it runs, whether it is locked to its thread; who started it, and where.
/// Functions have names where the program's symbols are known at run time (natively, if exported:
/// link with -rdynamic). Any thread may call while the runtime is up; what it says of running
/// goroutines is old news. A fatal error prints the goroutines without names of functions.
void bw_debug_dump(void);

/// What one P has done since the runtime started.
typedef struct bw_proc_stats {
  uint64_t runs;           ///< times it took a goroutine and ran it
  uint64_t migrations;     ///< of these, goroutines that had last run on another P
  uint64_t spawns;         ///< goroutines started by code that ran here
  uint64_t parks;          ///< goroutines that blocked here
  uint64_t yields;         ///< calls of bw_gosched
  uint64_t sleeps;         ///< times its thread went to sleep for want of work
  uint64_t steals;         ///< times it took goroutines from another P's queue
  uint64_t ends;           ///< goroutines that ended here
  uint64_t blocking_calls; ///< calls of bw_blocking made here; counted where a monitor runs
  uint64_t queued;         ///< goroutines in its queue right now
} bw_proc_stats;

/// Counters of P `index`; all zeros when there is no such P.
bw_proc_stats bw_proc_stats_read(int index);

/// The scheduler as a whole, right now; the numbers are read one after the other and need not fit
/// together.
typedef struct bw_sched_stats {
  int goroutines;        ///< that have not ended
  int procs;             ///< Ps there are to be (bw_gomaxprocs)
  int idle_procs;        ///< of these, without a thread that runs goroutines with them
  int threads;           ///< of the runtime, those in blocking calls included
  int idle_threads;      ///< asleep until there is work
  int spinning_threads;  ///< looking for work
  uint32_t global_queue; ///< goroutines that are in no P's queue
} bw_sched_stats;

/// Any thread may call; all zeros when no runtime is running. Does not park.
bw_sched_stats bw_sched_stats_read(void);

/// Virtual and resident size of the process; on wasm the size of linear memory and what of it has
/// been handed out. max_bytes is the limit: of the address space, or the memory's declared maximum;
/// 0 unknown.
typedef struct bw_memory_info {
  uint64_t virtual_bytes, resident_bytes, max_bytes;
} bw_memory_info;
bw_memory_info bw_memory_read(void);

/// "posix", "emscripten" or "wasi".
const char *bw_port_name(void);

#ifdef __cplusplus
}
#endif
#endif
