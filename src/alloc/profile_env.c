// The heap profiler on request of the environment, natively: started before main(), written at
// exit.
//
// The environment is read when the allocator makes a cache, since other libraries' constructors may
// run (and allocate) before ours, and for the last time by our constructor: the very first caches
// may be made before libc knows the environment. Nothing later may start a profile that way.
#include "alloc/profile.h"

#if !BW_WASM
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "port/port.h"

#define ORDER 101 // before constructors, and after destructors, of the program

static struct {
  _Atomic(bool) closed; // the environment is not looked at any more
  const char *path;     // NULL: no profile at exit
  bool leaks;
} request; // written before main()

static const char *value_of(const char *name) {
  const char *value = bw__port_env(name);
  return value && *value ? value : NULL;
}

static size_t rate_asked_for(void) {
  const char *text = value_of("BURROW_HEAPPROFILE_RATE");
  unsigned long long rate = text ? strtoull(text, NULL, 10) : 0;
  if (rate > BW_SAMPLER_MEAN_MOST) return BW_SAMPLER_MEAN_MOST;
  if (rate) return (size_t)rate;
  return request.path ? BW_PROFILE_RATE : 1;
}

void bw__profile_env(void) {
  if (BW_LIKELY(bw__load_relaxed(&request.closed))) return; // only its own value matters
  const char *leaks = value_of("BURROW_LEAKS");
  request.path = value_of("BURROW_HEAPPROFILE");
  request.leaks = leaks && strcmp(leaks, "0") != 0;
  if (!request.path && !request.leaks) return;
  bw__store_relaxed(&request.closed, true);
  bw_profile_heap_start(&(bw_profile_heap_options){.rate = rate_asked_for()});
}

__attribute__((constructor(ORDER))) static void read_environment(void) {
  bw__profile_env();
  bw__store_relaxed(&request.closed, true);
}

// `pattern` with the process id for each %p.
static void write_profile(const char *pattern) {
  char path[4096];
  bw__text t = bw__text_on(path, sizeof path);
  for (const char *c = pattern; *c; c++) {
    if (c[0] == '%' && c[1] == 'p') {
      bw__text_format(&t, "%d", bw__port_process_id());
      c++;
    } else {
      bw__text_bytes(&t, c, 1);
    }
  }
  if (bw_profile_heap_write(path) == 0) return;
  char line[4200];
  t = bw__text_on(line, sizeof line);
  bw__text_format(&t, "burrow: cannot write the heap profile to %s\n", path);
  bw__port_write(2, t.data, t.len);
}

__attribute__((destructor(ORDER))) static void at_exit(void) {
  if (request.path) write_profile(request.path);
  if (request.leaks) bw_profile_heap_leaks(2);
}
#endif
