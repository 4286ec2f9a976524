/// @file profile.h  The heap profiler: which code allocated what is in use, and what leaked.
///
///     bw_profile_heap_start(NULL);
///     work();
///     bw_profile_heap_write("heap.prof");        // go tool pprof ./program heap.prof
///
/// It samples: on average one allocation for each `rate` bytes is remembered with the stack that
/// made it until it is freed. Every byte has the same chance (a Poisson process, as in Go and
/// TCMalloc), so totals can be estimated without bias; with a rate of 1 every allocation is
/// remembered and all numbers are exact. A size here is the usable size of an object
/// (bw_malloc_good_size), as in Go.
///
/// Cost, measured on x86-64: nothing at all while it is off, not one instruction of malloc and
/// free. While it is on malloc and free take their slow path: a pair of 64 bytes costs 9 ns in
/// place of 4, and a sample about 1.5 us (at the default rate that is 1 allocation of 8192). A
/// sampled object has pages of its own, at least 8 KB: with a rate of 1 that is 8 KB for each small
/// object that is alive. bw_alloc_stats counts these as large objects.
///
/// Threads that run when it starts or stops take notice when their next slow path comes along
/// (their cache has none of some size, or too many), goroutines when their thread takes a P; all
/// others at once. To have every allocation covered, natively, start it by the environment, which
/// is looked at before main() and before the program's constructors:
///
///     - BURROW_HEAPPROFILE=path   profile from the start, write a profile to `path` at exit;
///                                 %p in it becomes the process id
///     - BURROW_LEAKS=1            profile from the start, write what is still in use to stderr at
///                                 exit, with a rate of 1 unless one of the others is set
///     - BURROW_HEAPPROFILE_RATE=n the rate for both
///
/// "At exit" is when exit() runs destructors, after the functions that atexit() registered: not
/// after _exit, abort or a fatal error. On wasm call the functions.
///
/// Stacks are found natively (with the unwind tables that compilers write anyway: no frame pointers
/// needed) and end at a goroutine's first function. On wasm a program cannot see its stack: all
/// allocations of one size share a site without frames.
///
/// Any thread and any goroutine may call any of these; none of them parks or allocates.
#ifndef BURROW_PROFILE_H
#define BURROW_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef BW_ALLOC_EXPORT // as in alloc.h
#pragma GCC visibility push(default)
#endif

#define BW_PROFILE_RATE   ((size_t)512 << 10) ///< the default rate, as Go's
#define BW_PROFILE_FRAMES 32                  ///< most frames of a stack

typedef struct bw_profile_heap_options {
  size_t rate;   ///< mean bytes from sample to sample; 1: every allocation; 0: BW_PROFILE_RATE
  uint64_t seed; ///< of the random numbers, for runs that repeat; 0: another each time
} bw_profile_heap_options;

/// Starts a profile, which forgets the one before. NULL: all defaults. BW_ESTATE when one is
/// running, BW_EINVAL for a rate above 2^36, BW_ENOMEM.
int bw_profile_heap_start(const bw_profile_heap_options *options);
/// Takes no more samples. What was sampled stays to be written, and is still followed: freed
/// objects leave it. Nothing happens when none is running.
void bw_profile_heap_stop(void);

/// One place that allocates: a stack and a size. Numbers are of sampled objects.
typedef struct bw_profile_heap_site {
  const uintptr_t *frames; ///< return addresses, bw_malloc's caller first; valid for ever
  unsigned depth;          ///< how many
  size_t size;             ///< bytes of each object
  uint64_t allocs;         ///< made since the start
  uint64_t frees;          ///< of these freed
  double scale;            ///< each stands for so many objects: allocs * scale estimates the truth
} bw_profile_heap_site;

/// Calls `visit` for each site, in no order, until it returns false. Holds no lock: `visit` may do
/// what it likes, allocate too.
void bw_profile_heap_walk(bool (*visit)(const bw_profile_heap_site *site, void *arg), void *arg);

/// Writes the profile to a new file, or one that it overwrites. 0, BW_EINVAL when the file cannot
/// be made or written, BW_ENOTSUP where there are no files (wasm threads).
///
/// The format is the old text format of pprof, which `go tool pprof`, google/pprof and gperftools'
/// pprof read (they estimate totals themselves). Each line is a site: what is in use, objects and
/// bytes, in brackets what was allocated since the start, then the addresses:
///
///     > heap profile: 2: 224 [3: 336] @ heap_v2/524288
///     > 2: 224 [3: 336] @ 0x55d0c8a4b1e9 0x55d0c8a4b2f0
///     >
///     > MAPPED_LIBRARIES:
///     > (what /proc/self/maps holds)
int bw_profile_heap_write(const char *path);
/// The same to an open file. BW_EINVAL: not all could be written.
int bw_profile_heap_write_fd(int fd);
/// The same to memory: at most `cap` bytes with the NUL at their end. Returns the length of the
/// whole text, without the NUL; when that is not below `cap` something is missing.
size_t bw_profile_heap_text(char *buffer, size_t cap);

/// Writes what is in use to an open file for people to read: the stacks, by bytes, with names where
/// the system knows them. Only memory that was allocated during the profile counts, and whatever is
/// still in use counts, reachable or not.
void bw_profile_heap_leaks(int fd);

#ifdef BW_ALLOC_EXPORT
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
