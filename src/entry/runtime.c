// Start-up and tear-down, in the order that the layers want.
//
//   open   options -> Ps, all idle -> monitor -> published
//   run    the main goroutine is queued; the caller serves as the first M, others are started when
//          there is work for them (all at once where that takes long: on wasm)
//   stop   `stopping` is set, every sleeping M is woken; each M leaves at its next switch
//   close  monitor joined -> Ms joined -> poller -> timers -> Gs and stacks freed -> Ps and Ms
#include "entry/runtime.h"

#include "alloc/alloc.h"
#include "sched/env.h"
#include "sched/poll.h"
#include "sched/sched.h"
#include "sched/trace.h"
#include "sched/unwind.h"
#include "sync/lockwatch.h"

#include <burrow/alloc.h>
#include <burrow/error.h>
#include <stdlib.h>

enum { THREADS_MAX = 10000 };

static _Atomic(bool) running;

static int choose_procs(const bw_options *options) {
  if (!bw__port_capabilities.threads) return 1;
  if (options && options->procs) return options->procs;
  const char *env = bw__port_env("BURROW_PROCS");
  int procs = env ? atoi(env) : 0;
  return procs > 0 && procs <= BW_PROCS_MAX ? procs : bw__port_cpu_count();
}

// What a run before this one may have left behind. Nobody else looks at it yet.
static void reset(bw__sched *s, const bw_options *options) {
  bw__list_init(&s->idle);
  bw__list_init(&s->pinned_ms);
  bw__list_init(&s->batches);
  s->head = s->tail = NULL;
  s->list_count = 0;
  bw__store(&s->queued, 0);
  s->idle_ms = s->pinned_idle = 0;
  bw__store(&s->spinning, 0);
  bw__store(&s->blocking, 0);
  s->keeper = NULL;
  bw__store(&s->polling, false);
  bw__store(&s->keeps_until, BW_NEVER);
  bw__store(&s->coarse_now, bw__port_now());
  bw__store(&s->stopping, false);
  s->main_exited = false;
  s->m_max = options && options->threads_max ? options->threads_max : THREADS_MAX;
  s->stack_size = options && options->stack_size ? options->stack_size : bw_stack_size_default();
}

// Misuse of the allocator while the runtime is up: say it with a dump of all goroutines. (On wasm
// the allocator says it by itself, see alloc/alloc.h.)
static void alloc_fatal(const char *text) { bw__fatal("%s", text); }

static bool valid(const bw_options *o) {
  return !o || (o->procs >= 0 && o->procs <= BW_PROCS_MAX && o->threads_max >= 0);
}

// All but what a run from C has on top: BURROW_DEBUG and the monitor.
static int open_quietly(const bw_options *options, bool starts_ms) {
  bw__sched *s = &bw__sched_state;
  if (!valid(options)) return BW_EINVAL;
  if (bw__swap(&running, true)) return BW_ESTATE;
  bw__alloc_fatal = alloc_fatal;
  bw__stack_overflow_watch();
  bw__divide_watch();
  bw__port_clock_open();
  reset(s, options);
  s->starts_ms = starts_ms && bw__port_capabilities.threads;
  if (!bw__procs_open(choose_procs(options))) {
    bw__procs_free();
    bw__store(&running, false);
    return BW_ENOMEM;
  }
  return 0;
}

int bw__runtime_open(const bw_options *options) {
  int code = open_quietly(options, false);
  if (code == 0) bw__sched_state.running = true;
  return code;
}

void bw__runtime_stop(void) {
  bw__sched *s = &bw__sched_state;
  bw__store(&s->stopping, true);
  for (bw__p *p = bw__p_at(0); p; p = bw__p_after(p)) bw__store(&p->attention, 1);
  bw__ms_wake_all();
}

// Its channels may live on; the stack that its places in their queues lie on does not. Beside the
// wait that it is in, or has just been woken from, there may be others whose park is still to come.
static void abandon_wait(bw__g *g, void *unused) {
  (void)unused;
  bw__waiter *w = bw__shared_load(&g->state) == BW_G_WAITING ? g->waiter : g->choosing;
  if (w && w->abandon) w->abandon(w);
  for (bw__entering *e = g->entering; e; e = e->outer) e->waiter->abandon(e->waiter);
}

void bw__runtime_close(void) {
  bw__sched *s = &bw__sched_state;
  bw__monitor_stop(); // before: it may start Ms
  bw__ms_join();
  bw__g_each_at_end(abandon_wait, NULL);
  bw__lock_watch_end_run();
  bw_trace_stop();
  s->running = false;
  if (!BW_WASM) bw__poll_end();
  bw__timers_end();
  bw__g_free_all();
  bw__procs_free();
  bw__ms_free();
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

// Where a thread takes long to start, those that will be wanted are started ahead.
static bool start_threads(bw__sched *s) {
  if (bw__port_capabilities.monitors) return true;
  int procs = bw__load(&s->procs), cores = bw__port_cpu_count();
  for (int i = 1; i < procs && i < cores; i++)
    if (!bw__m_start(NULL, false)) return false;
  return true;
}

int bw_run(int (*fn)(void *), void *arg, const bw_options *options) {
  if (!fn) return BW_EINVAL;
  int code = open_quietly(options, true);
  if (code != 0) return code;
  bw__sched *s = &bw__sched_state;
  bw__env_read();
  s->running = true;
  main_call call = {fn, arg, 0};
  size_t least = bw__port_capabilities.main_stack;
  bw_go_options options_of_main = {
      .name = "main",
      .stack_size = s->stack_size > least ? s->stack_size : least,
  };
  bw__m *m = bw__m_new();
  if (m) { // this thread is an M with a P before there is work: else another would be started for
           // it
    bw__m_set_current(m);
    bw__p_take_idle(m);
  }
  bw__monitor_start(); // it may start goroutines at once: not before this M counts as awake
  code = m && start_threads(s) ? bw_go_with(&options_of_main, main_goroutine, &call) : BW_ENOMEM;
  if (code != 0) bw__runtime_stop();
  if (m) bw__m_serve(m);
  bw__runtime_close();
  bw__trace_write_wished();
  return code != 0 ? code : call.status;
}
