// pthreads, which Emscripten makes of Web Workers (or Node's worker_threads).
#include "port/port.h"

#include <emscripten/threading.h>
#include <pthread.h>
#include <sched.h>

#include "port/emscripten/host.h"
#include "include/burrow/error.h"

enum {
  STACK = 256 << 10
}; // of an M: goroutines bring their own, so this serves scheduler and malloc

const bw__port_caps bw__port_capabilities = {
    .name = "emscripten",
    .threads = true,
    .gives_back = false,
    .protects = false,
    .maps_stacks = false,
    .stack_size = 32 << 10, // shadow stack and saved frames; printf needs about 12 KB of it
    .main_stack = 256 << 10,
};

static pthread_key_t exit_key;
static bool exit_key_made;            // r/o once there is a second thread
static void (*_Atomic exit_fn)(void); // every thread sets the same

static void *trampoline(void *p) {
  bw__port_thread *t = p;
  t->run(t->arg);
  return NULL;
}

int bw__port_thread_start(bw__port_thread *t, void (*run)(void *), void *arg) {
  pthread_t id;
  pthread_attr_t attr;
  t->run = run;
  t->arg = arg;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK);
  int failed = pthread_create(&id, &attr, trampoline, t);
  pthread_attr_destroy(&attr);
  if (failed) return BW_ENOMEM;
  t->handle = (uintptr_t)id;
  return 0;
}

void bw__port_thread_join(bw__port_thread *t) { pthread_join((pthread_t)t->handle, NULL); }

void bw__port_thread_yield(void) { sched_yield(); }

int bw__port_cpu_count(void) {
  int n = emscripten_num_logical_cores();
  return n < 1 ? 1 : n;
}

static void run_exit_fn(void *unused) {
  (void)unused;
  bw__load_relaxed (&exit_fn)();
}

// Before main, and not on demand by pthread_once: that calls through a pointer, which asyncify must
// take for a possible switch. malloc reaches bw__port_thread_at_exit, so malloc and all its callers
// would be rewritten to save and restore their frames.
__attribute__((constructor)) static void make_exit_key(void) {
  pthread_key_create(&exit_key, run_exit_fn);
  exit_key_made = true;
  if (bw__load_relaxed(&exit_fn)) pthread_setspecific(exit_key, (void *)1); // asked for before this
}

static _Thread_local void (*exit_fn_here)(void); // of a thread that JavaScript attached: no pthread

void bw__port_thread_ends(void) {
  if (exit_fn_here) exit_fn_here();
  exit_fn_here = NULL;
}

void bw__port_thread_at_exit(void (*fn)(void)) {
  if (!pthread_self()) {
    exit_fn_here = fn;
    return;
  }
  bw__store_relaxed(&exit_fn, fn);
  if (exit_key_made) pthread_setspecific(exit_key, (void *)1); // not NULL: then the destructor runs
}
