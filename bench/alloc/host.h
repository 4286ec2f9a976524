// What differs between native targets and wasm.
#ifndef ALLOC_BENCH_HOST_H
#define ALLOC_BENCH_HOST_H

#include <stdbool.h>
#include <stdint.h>

// False: this build cannot start threads.
extern const bool host_has_threads;

// Seconds on a clock that only goes forward.
double host_wall(void);
// Seconds of processor time of all threads, user and system; negative where there is no telling.
double host_cpu(void);

// Memory of the process in KiB, now and at its most: the resident set, or the linear memory, which
// never shrinks.
int64_t host_memory_now(void);
int64_t host_memory_peak(void);

// The file that malloc comes from; "" where there is no telling.
const char *host_malloc_origin(void);

#endif
