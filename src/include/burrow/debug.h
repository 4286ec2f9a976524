/// @file debug.h  Seeing inside: dumps and counters. Nothing here uses Burrow's allocator.
#ifndef BURROW_DEBUG_H
#define BURROW_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Prints every goroutine to stderr: number, name, state or what it waits for, its function, and
/// who started it. Any thread may call while the runtime is up; the states of running goroutines
/// are old news.
void bw_debug_dump(void);

/// What one P has done since the runtime started.
typedef struct bw_proc_stats {
  uint64_t runs;       ///< times it took a goroutine and ran it
  uint64_t migrations; ///< of these, goroutines that had last run on another P
  uint64_t spawns;     ///< goroutines started by code that ran here
  uint64_t parks;      ///< goroutines that blocked here
  uint64_t yields;     ///< calls of bw_gosched
  uint64_t sleeps;     ///< times its thread went to sleep for want of work
  uint64_t steals;     ///< times it took goroutines from another P's queue
} bw_proc_stats;

/// Counters of P `index`; all zeros when there is no such P.
bw_proc_stats bw_proc_stats_read(int index);

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
