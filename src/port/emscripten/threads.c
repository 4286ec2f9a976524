// pthreads, which Emscripten makes of Web Workers (or Node's worker_threads).
#include "port/port.h"

#include <emscripten/threading.h>
#include <pthread.h>
#include <sched.h>

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
    .monitors = false,
    .polls = false,
    .stack_size = 16 << 10, // shadow stack and saved frames; printf needs 9 KB at most
    .main_stack = 256 << 10,
};

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
