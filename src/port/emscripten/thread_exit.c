// The end of a thread, and what each thread must know after memory has grown.
#include "port/port.h"

#include <pthread.h>

#include "port/emscripten/host.h"
#include "port/wasm/memory.h"

static pthread_key_t exit_key;
static bool exit_key_made;            // r/o once there is a second thread
static void (*_Atomic exit_fn)(void); // every thread sets the same

// Emscripten's mailbox of a thread is an Atomics.waitAsync on the first word of its pthread, which
// nobody takes back when the thread ends: it would stay on the freed memory's address and swallow a
// wake-up that is meant for a lock that lies there next.
static void end_mailbox(void) {
  __builtin_wasm_memory_atomic_notify((int *)pthread_self(), UINT32_MAX);
}

static void run_exit_fn(void *unused) {
  (void)unused;
  end_mailbox();
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

// Emscripten's JavaScript, when linked with threads, compares the buffer before each access.
void bw__port_mem_grown(void) {}
