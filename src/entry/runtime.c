// Start-up and tear-down, in the order that the layers want.
//
//   open   options -> Ps and Ms (allocated together) -> published
//   run    the main goroutine is queued, helper Ms are started, the caller serves as M 0
//   stop   `stopping` is set, every idle M is woken; each M leaves at its next switch
//   close  helpers joined -> timers -> Gs and stacks freed -> Ps and Ms
#include "entry/runtime.h"

#include "alloc/alloc.h"
#include "sched/sched.h"

#include <burrow/alloc.h>
#include <burrow/error.h>
#include <stdlib.h>

enum { PROCS_MAX = 1024 };

static _Atomic(bool) running;

static int choose_procs(const bw_options *options) {
  if (!bw__port_capabilities.threads) return 1;
  if (options && options->procs) return options->procs;
  const char *env = bw__port_env("BURROW_PROCS");
  int procs = env ? atoi(env) : 0;
  return procs > 0 && procs <= PROCS_MAX ? procs : bw__port_cpu_count();
}

static int allocate(int procs, size_t stack_size) {
  bw__sched *s = &bw__sched_state;
  bw__p *ps = bw_aligned_alloc(BW_CACHE_LINE, sizeof *ps * (size_t)procs);
  bw__m *ms = bw_calloc((size_t)procs, sizeof *ms);
  if (!ps || !ms) {
    bw_free(ps);
    bw_free(ms);
    return BW_ENOMEM;
  }
  memset(ps, 0, sizeof *ps * (size_t)procs);
  for (int i = 0; i < procs; i++) {
    ps[i].index = i;
    ps[i].cache = bw__cache_new();
    bw__timers_init(&ps[i].timers);
  }
  bw__list_init(&s->idle);
  s->head = s->tail = NULL;
  bw__store_relaxed(&s->queued, 0);
  s->idle_count = s->spinning_count = 0;
  bw__store(&s->stopping, false);
  s->procs = procs;
  s->stack_size = stack_size;
  s->ms = ms;
  s->ps = ps;
  return 0;
}

// Misuse of the allocator while the runtime is up: say it with a dump of all goroutines. (On wasm
// the allocator says it by itself, see alloc/alloc.h.)
static void alloc_fatal(const char *text) { bw__fatal("%s", text); }

int bw__runtime_open(const bw_options *options) {
  if (options && (options->procs < 0 || options->procs > PROCS_MAX)) return BW_EINVAL;
  if (bw__swap(&running, true)) return BW_ESTATE;
  bw__alloc_fatal = alloc_fatal;
  bw__stack_overflow_watch();
  size_t stack_size =
      options && options->stack_size ? options->stack_size : bw_stack_size_default();
  int code = allocate(choose_procs(options), stack_size);
  if (code != 0) bw__store(&running, false);
  return code;
}

void bw__runtime_stop(void) {
  bw__sched *s = &bw__sched_state;
  bw__store(&s->stopping, true);
  for (int i = 0; i < s->procs; i++) bw__sched_kick();
}

void bw__runtime_close(void) {
  bw__sched *s = &bw__sched_state;
  for (int i = 0; i < s->procs; i++) bw__timers_destroy(&s->ps[i].timers); // some lie on stacks
  bw__g_free_all();
  for (int i = 0; i < s->procs; i++) bw__cache_delete(s->ps[i].cache);
  bw_free(s->ps);
  bw_free(s->ms);
  s->ps = NULL;
  s->ms = NULL;
  bw__store(&running, false);
}

// ---- bw_run -------------------------------------------------------------------------------------

typedef struct {
  int (*fn)(void *);
  void *arg;
  int status;
} main_call;

static void main_goroutine(void *arg) {
  main_call *call = arg;
  call->status = call->fn(call->arg);
  bw__runtime_stop();
}

static void helper(void *arg) { bw__m_serve((int)(intptr_t)arg); }

// Starts M 1..procs-1. Returns how many started.
static int start_helpers(bw__sched *s) {
  int started = 0;
  for (int i = 1; i < s->procs; i++, started++)
    if (bw__port_thread_start(&s->ms[i].thread, helper, (void *)(intptr_t)i) != 0) break;
  return started;
}

int bw_run(int (*fn)(void *), void *arg, const bw_options *options) {
  if (!fn) return BW_EINVAL;
  int code = bw__runtime_open(options);
  if (code != 0) return code;
  bw__sched *s = &bw__sched_state;
  main_call call = {fn, arg, 0};
  size_t least = bw__port_capabilities.main_stack;
  bw_go_options options_of_main = {
      .name = "main",
      .stack_size = s->stack_size > least ? s->stack_size : least,
  };
  int started = start_helpers(s);
  if (started < s->procs - 1)
    code = BW_ENOMEM;
  else
    code = bw_go_with(&options_of_main, main_goroutine, &call);
  if (code != 0) bw__runtime_stop();
  bw__m_serve(0);
  for (int i = 1; i <= started; i++) bw__port_thread_join(&s->ms[i].thread);
  bw__runtime_close();
  return code != 0 ? code : call.status;
}
