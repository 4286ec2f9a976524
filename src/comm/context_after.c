// Functions that run when a context ends.
//
// A call watches the source of the context's node, and becomes a task of whoever ends the node;
// that one starts the goroutine, after the watch. One word decides between start and stop:
//
//   ARMED -> LAUNCHED   the task, or bw_context_after_func when the context has ended already
//   ARMED -> STOPPED    bw_context_call_stop
//
// References to a call: its maker's, until the release; the watch's, as long as it is ARMED by a
// context that can end, given back by whoever takes it out of ARMED; the task's; and the timer's,
// while a goroutine that could not be started is tried again. The call keeps the context.
//
// Locks: none of its own.
#include "comm/context.h"

#include "sched/sched.h"

#include <burrow/alloc.h>

enum { ARMED, LAUNCHED, STOPPED };

struct bw_context_call {
  _Atomic(uint32_t) refs, state;
  bw_context *ctx; // one reference. r/o, as fn and arg
  void (*fn)(void *arg);
  void *arg;
  bw__cancel_watcher watch;
  bw__context_task task;
  bw__timer again; // parting and let go, as a context's (context_end.c)
};

static void release(bw_context_call *c) {
  if (bw__sub(&c->refs, 1) != 1) return;
  bw_context_release(c->ctx);
  bw_free(c);
}

static bool leave_armed(bw_context_call *c, uint32_t to) {
  uint32_t armed = ARMED;
  return bw__cas(&c->state, &armed, to);
}

// ---- starting the goroutine ---------------------------------------------------------------------

static void try_again(bw__timer *t, int64_t now) {
  bw_context_call *c = BW_CONTAINER(t, bw_context_call, again);
  if (now != BW_NEVER && bw_go(c->fn, c->arg) == BW_ENOMEM)
    bw__timer_start(t, bw__timer_from_now(BW_MILLISECOND), 0);
  else
    release(c);
}

// The caller has a reference.
static void launch(bw_context_call *c) {
  if (bw_go(c->fn, c->arg) != BW_ENOMEM) return; // without a runtime: never
  bw__add_relaxed(&c->refs, 1);
  bw__timer_start(&c->again, bw__timer_from_now(BW_MILLISECOND), 0);
}

// ---- the context ends ---------------------------------------------------------------------------

static bool run(bw__context_task *task, bw__context_tasks *all) {
  (void)all;
  bw_context_call *c = BW_CONTAINER(task, bw_context_call, task);
  if (!leave_armed(c, LAUNCHED)) return false;
  launch(c);
  return true;
}

static void release_task(bw__context_task *task) {
  bw_context_call *c = BW_CONTAINER(task, bw_context_call, task);
  if (task->mine) release(c); // the watch's
  release(c);
}

static const bw__context_task_kind call_kind = {run, NULL, NULL, release_task};

// The watch has its reference as long as this may run: a stop waits for it.
static void on_end(bw__cancel_watcher *w) {
  bw_context_call *c = BW_CONTAINER(w, bw_context_call, watch);
  bw__add_relaxed(&c->refs, 1);
  bw__context_tasks_add(c->ctx->node->tasks, &c->task);
}

static void watch(bw_context_call *c) {
  bw__context_node *n = c->ctx->node;
  bw__add_relaxed(&c->refs, 1); // nobody else has it yet
  if (bw__cancel_watch(&n->source, &c->watch, on_end)) return;
  bw__store_relaxed(&c->state, LAUNCHED); // as above
  launch(c);
  release(c);
}

// ---- the public face ----------------------------------------------------------------------------

bw_context_call *bw_context_after_func(bw_context *ctx, void (*fn)(void *arg), void *arg) {
  bw__context_check(ctx);
  if (!fn) bw__fatal("go of nil func value");
  bw_context_call *c = bw_malloc(sizeof *c);
  if (!c) return NULL;
  *c = (bw_context_call){.fn = fn, .arg = arg, .task = {.kind = &call_kind}};
  c->ctx = bw_context_retain(ctx);
  bw__store_relaxed(&c->refs, 1); // nobody else has it yet
  bw__cancel_init_watcher(&c->watch);
  bw__timer_init_parting(&c->again, try_again);
  c->again.let_go = true;
  if (ctx->node) watch(c);
  return c;
}

bool bw_context_call_stop(bw_context_call *c) {
  if (!c || !leave_armed(c, STOPPED)) return false;
  bw__context_node *n = c->ctx->node;
  if (!n) return true;
  bw__cancel_unwatch(&n->source, &c->watch);
  release(c); // the watch's
  return true;
}

void bw_context_call_release(bw_context_call *c) {
  if (c) release(c);
}
