// pthreads.
#include "port/port.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "include/burrow/error.h"

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static void (*_Atomic exit_fn)(void); // every thread sets the same

static void *trampoline(void *p) {
  bw__port_thread *t = p;
  t->run(t->arg);
  return NULL;
}

int bw__port_thread_start(bw__port_thread *t, void (*run)(void *), void *arg) {
  pthread_t id;
  t->run = run;
  t->arg = arg;
  if (pthread_create(&id, NULL, trampoline, t) != 0) return BW_ENOMEM;
  t->handle = (uintptr_t)id;
  return 0;
}

void bw__port_thread_join(bw__port_thread *t) { pthread_join((pthread_t)t->handle, NULL); }

void bw__port_thread_yield(void) { sched_yield(); }

int bw__port_cpu_count(void) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : (int)n;
}

static void run_exit_fn(void *unused) {
  (void)unused;
  bw__load_relaxed (&exit_fn)();
}

static void make_exit_key(void) { pthread_key_create(&exit_key, run_exit_fn); }

void bw__port_thread_at_exit(void (*fn)(void)) {
  bw__store_relaxed(&exit_fn, fn); // the once and the key order it for this thread
  pthread_once(&exit_once, make_exit_key);
  pthread_setspecific(exit_key, (void *)1); // not NULL: the destructor runs at thread end
}

void bw__port_at_fork(void (*before)(void), void (*after)(void)) {
  pthread_atfork(before, after, after);
}
