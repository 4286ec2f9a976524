#include "host.h"

#include <time.h>

double host_wall(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#ifdef __EMSCRIPTEN__
#include <emscripten/heap.h>

#ifdef __EMSCRIPTEN_PTHREADS__
const bool host_has_threads = true;
#else
const bool host_has_threads = false;
#endif

double host_cpu(void) { return -1; }

int64_t host_memory_now(void) { return (int64_t)emscripten_get_heap_size() / 1024; }

int64_t host_memory_peak(void) { return host_memory_now(); }

const char *host_malloc_origin(void) { return ""; }

#else
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

const bool host_has_threads = true;

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec * 1e-6; }

double host_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return seconds(r.ru_utime) + seconds(r.ru_stime);
}

// Without stdio, which would call the allocator that is measured.
int64_t host_memory_now(void) {
  char text[128];
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t got = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  if (got <= 0) return 0;
  text[got] = 0;
  char *resident; // the second number, in pages
  strtoll(text, &resident, 10);
  return strtoll(resident, NULL, 10) * sysconf(_SC_PAGESIZE) / 1024;
}

int64_t host_memory_peak(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_maxrss;
}

const char *host_malloc_origin(void) {
  Dl_info info;
  void *found = dlsym(RTLD_DEFAULT, "malloc");
  return found && dladdr(found, &info) && info.dli_fname ? info.dli_fname : "";
}
#endif
