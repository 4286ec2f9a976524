// Contexts that can end: made, cancelled, timed out.
//
// A node in the tree watches the source of the node above it. To end a node is
//
//   1  mark   LIVE -> MARKING by a cas: who gets that ends it. Then what it says: err and cause;
//             MARKED publishes them
//   2  done   out of the timers; the channel is closed
//   3  fire   all who watch are called: waits end, nodes below and calls become tasks
//   4  tasks  each node below is ended likewise, which may add tasks; calls are started
//   5  ENDED  once all tasks are over, here and elsewhere: the tasks' nodes, then the first one
//   6  leave  the first of them gets off the list of the node above. Not before: as long as there
//             is something below it that has not ended, who ends the node above must find it
//   7  free   the tasks' references are given back. That may call a value's free_value, which may
//             cancel any of these contexts again, and give back the caller's right to cancel: so
//             all of them are ENDED by then, and the first one is not touched any more
//
// The tasks are a list and no recursion, so a tree may be deeper than a stack. No lock is held from
// one node to the next: while 10,000 of them end, others make, cancel and release their siblings,
// and wait for the list's lock as long as it takes to get off it.
//
// Two who end nodes of the same tree share the work as it comes: each node is ended by the one who
// marks it. Go's rule is that all below has ended when cancel returns, so whoever comes second to a
// node waits until it is ENDED. That cannot be a circle: A waits for B only at a node that B was
// asked to end (B came to it first by being called for it, not from above, since above it A was the
// one who marked), so waiting goes strictly downwards. It is short, and the one who is waited for
// never parks. Who ends a node from within a watch must not wait (bw__cancel_from_watch): the node,
// or one above or below it, may be in the hands of its own caller.
//
// The watch of a node against its end by others:
//
//   - freed: the last reference goes; bw__context_leave waits for the watch that may be running,
//     and that one, which finds no reference to take, leaves the node alone.
//   - ended on its own while the node above ends: a task finds it marked; see above.
//   - timed out while it is being made: the timer starts first, when nobody else has the node, so
//     it may end the node before it watches. `attach` looks after that and takes the watch off
//     again.
//
// Timers are parting ones, and an armed one has a reference: so its call may release the node, also
// as the last. Exactly one of three gives the reference back: who drops the pending timer, its
// call, or its call at the end of the run (now == BW_NEVER), which is why it is `let_go`.
//
// Locks: none of its own; sources' (cancel.c), timers', the done channel's, one at a time.
#include "comm/chan.h"
#include "comm/chan_state.h"
#include "comm/context.h"

#include "port/port.h"

#include <burrow/alloc.h>
#include <burrow/go.h>

// Nobody waits in it or changes it, but its lock is taken like any other's.
bw_chan bw__context_closed = {
    .lock = BW_MUTEX_INIT(BW_RANK_CHAN), .flags = BW_CHAN_CLOSED, .refs = 1};

static bw__context_node *above(const bw__context_node *n) { return n->base.parent->node; }

// ---- ending one ---------------------------------------------------------------------------------

typedef struct {
  int err, cause;
  const char *text; // NULL: none
  char *own;        // the same, if it is to be the node's to free
} reason;

static bool mark(bw__context_node *n, reason why) {
  uint32_t live = BW_PHASE_LIVE;
  if (!bw__cas(&n->phase, &live, BW_PHASE_MARKING)) return false;
  n->err = why.err;
  n->cause = why.cause ? why.cause : why.err;
  n->text = why.text;
  n->own_text = why.own;
  bw__store_release(&n->phase, BW_PHASE_MARKED); // pairs with bw__context_ended
  return true;
}

static void disarm(bw__context_node *n) {
  if (n->base.kind != BW_CONTEXT_TIMED) return;
  if (bw__timer_drop(&((bw__context_timed *)n)->timer)) bw_context_release(&n->base);
}

// Not from within the node's own watch.
void bw__context_leave(bw__context_node *n) {
  if (above(n)) bw__cancel_unwatch(&above(n)->source, &n->watch);
}

static void close_done(bw__context_node *n) {
  bw_chan *done = NULL;
  if (!bw__cas(&n->done, &done, &bw__context_closed)) bw__chan_close(done);
}

// The caller has a reference. False: somebody else did, or does it.
static bool end_one(bw__context_node *n, reason why, bw__context_tasks *tasks) {
  if (!mark(n, why)) return false;
  disarm(n);
  close_done(n);
  n->tasks = tasks;
  bw__cancel_fire(&n->source);
  return true;
}

static void wait_until_ended(bw__context_node *n) {
  // Pairs with set_ended: what the other one did is visible.
  for (unsigned rounds = 1; bw__load_acquire(&n->phase) != BW_PHASE_ENDED; rounds++)
    bw__port_relax(rounds);
}

static void set_ended(bw__context_node *n) { bw__store_release(&n->phase, BW_PHASE_ENDED); }

// ---- nodes below --------------------------------------------------------------------------------

static bw__context_node *node_of_task(bw__context_task *task) {
  return BW_CONTAINER(task, bw__context_node, task);
}

static bool end_below(bw__context_task *task, bw__context_tasks *all) {
  bw__context_node *n = node_of_task(task), *a = above(n);
  return end_one(n, (reason){a->err, a->cause, a->text, NULL}, all);
}

static void wait_below(bw__context_task *task) { wait_until_ended(node_of_task(task)); }

static void over_below(bw__context_task *task) {
  if (task->mine) set_ended(node_of_task(task));
}

static void release_below(bw__context_task *task) { bw_context_release(&node_of_task(task)->base); }

static const bw__context_task_kind below = {end_below, wait_below, over_below, release_below};

static void above_ended(bw__cancel_watcher *w) {
  bw__context_node *n = BW_CONTAINER(w, bw__context_node, watch);
  if (bw__context_try_retain(&n->base)) bw__context_tasks_add(above(n)->tasks, &n->task);
}

// ---- ending all ---------------------------------------------------------------------------------

// Others who end nodes below are waited for before any of ours is said to have ended.
static void finish(bw__context_tasks *all) {
  for (bw__context_task *t = all->first; t; t = t->next)
    if (!t->mine && t->kind->wait) t->kind->wait(t);
  for (bw__context_task *t = all->first; t; t = t->next)
    if (t->kind->over) t->kind->over(t);
}

static void release_all(bw__context_tasks *all) {
  for (bw__context_task *t = all->first, *next; t; t = next) {
    next = t->next;
    t->kind->release(t);
  }
}

// Returns when n and all below it have ended. True: it was the caller's to end. The caller has a
// reference to n, which a free_value may give back.
static bool end(bw__context_node *n, reason why) {
  bw__context_tasks all = {NULL, &all.first};
  if (!end_one(n, why, &all)) {
    wait_until_ended(n);
    return false;
  }
  for (bw__context_task *t = all.first; t; t = t->next) t->mine = t->kind->run(t, &all);
  if (all.first) finish(&all);
  set_ended(n);
  bw__context_leave(n);
  release_all(&all);
  return true;
}

// ---- made ---------------------------------------------------------------------------------------

// `refs`: for whom it is made, and what holds it besides; nobody has it yet.
static void init(bw__context_node *n, bw__context_kind kind, bw_context *parent, uint32_t refs) {
  bw__context_init(&n->base, kind, parent, refs);
  n->deadline = n->base.node ? n->base.node->deadline : BW_NEVER;
  n->base.node = n;
  bw__store_relaxed(&n->phase, BW_PHASE_LIVE); // published with the context, as all here
  n->own_text = NULL;
  n->task.kind = &below;
  bw__store_relaxed(&n->done, NULL);
  bw__cancel_init(&n->source);
  bw__cancel_init_watcher(&n->watch);
}

static void attach(bw__context_node *n) {
  bw__context_node *a = above(n);
  if (!a) return;
  if (!bw__cancel_watch(&a->source, &n->watch, above_ended))
    end(n, (reason){a->err, a->cause, a->text, NULL});
  else if (bw__load(&n->phase) != BW_PHASE_LIVE)
    bw__context_leave(n); // its own deadline was quicker
}

static uint32_t refs_for(bw_cancel **cancel) { return cancel ? 2 : 1; }

static bw_context *give(bw__context_node *n, bw_cancel **cancel) {
  if (cancel) *cancel = (bw_cancel *)&n->base;
  return &n->base;
}

bw_context *bw_with_cancel(bw_context *parent, bw_cancel **cancel) {
  if (cancel) *cancel = NULL;
  bw__context_check_parent(parent);
  bw__context_node *n = bw_malloc(sizeof *n);
  if (!n) return NULL;
  init(n, BW_CONTEXT_CANCEL, parent, refs_for(cancel));
  attach(n);
  return give(n, cancel);
}

// ---- deadlines ----------------------------------------------------------------------------------

static reason out_of_time(const bw__context_timed *k) {
  return (reason){BW_EDEADLINE, k->code, k->text, NULL};
}

static void time_over(bw__timer *t, int64_t now) {
  bw__context_timed *k = BW_CONTAINER(t, bw__context_timed, timer);
  if (now != BW_NEVER) end(&k->node, out_of_time(k));
  bw_context_release(&k->node.base);
}

// With a reference for the timer.
static void arm(bw__context_timed *k) { bw__timer_start(&k->timer, k->node.deadline, 0); }

static bw__context_timed *make_timed(bw_context *parent, uint32_t refs, int64_t deadline, int code,
                                     const char *text) {
  size_t bytes = text ? strlen(text) + 1 : 0;
  bw__context_timed *k = bw_malloc(sizeof *k + bytes);
  if (!k) return NULL;
  init(&k->node, BW_CONTEXT_TIMED, parent, refs);
  k->node.deadline = deadline;
  bw__timer_init_parting(&k->timer, time_over);
  k->timer.let_go = true;
  k->code = code;
  k->text = text ? memcpy(k + 1, text, bytes) : NULL;
  return k;
}

// Go's rule: no second timer when the parent's time is over first.
static bool parent_is_earlier(bw_context *parent, int64_t deadline) {
  int64_t first;
  return bw_context_deadline(parent, &first) && first <= deadline;
}

bw_context *bw_with_deadline_cause(bw_context *parent, int64_t deadline, int code, const char *text,
                                   bw_cancel **cancel) {
  if (cancel) *cancel = NULL;
  bw__context_check_parent(parent);
  if (parent_is_earlier(parent, deadline)) return bw_with_cancel(parent, cancel);
  bool over = deadline <= bw__port_now();
  if (!bw__timers_here()) return NULL;
  uint32_t refs = refs_for(cancel) + (over ? 0 : 1);
  bw__context_timed *k = make_timed(parent, refs, deadline, code, text);
  if (!k) return NULL;
  if (!over) arm(k);
  attach(&k->node);
  if (over) end(&k->node, out_of_time(k));
  return give(&k->node, cancel);
}

bw_context *bw_with_deadline(bw_context *parent, int64_t deadline, bw_cancel **cancel) {
  return bw_with_deadline_cause(parent, deadline, 0, NULL, cancel);
}

bw_context *bw_with_timeout_cause(bw_context *parent, int64_t ns, int code, const char *text,
                                  bw_cancel **cancel) {
  return bw_with_deadline_cause(parent, bw__timer_from_now(ns), code, text, cancel);
}

bw_context *bw_with_timeout(bw_context *parent, int64_t ns, bw_cancel **cancel) {
  return bw_with_deadline_cause(parent, bw__timer_from_now(ns), 0, NULL, cancel);
}

// ---- cancelled ----------------------------------------------------------------------------------

static bw__context_node *node_of_cancel(bw_cancel *cancel) { return (bw__context_node *)cancel; }

void bw_cancel_now(bw_cancel *cancel) {
  if (cancel) end(node_of_cancel(cancel), (reason){BW_ECANCELED, 0, NULL, NULL});
}

static char *copy_of(const char *text) {
  size_t bytes = text ? strlen(text) + 1 : 0;
  char *copy = bytes ? bw_malloc(bytes) : NULL;
  return copy ? memcpy(copy, text, bytes) : NULL;
}

void bw_cancel_cause(bw_cancel *cancel, int code, const char *text) {
  if (!cancel) return;
  char *own = copy_of(text);
  if (!end(node_of_cancel(cancel), (reason){BW_ECANCELED, code, own, own})) bw_free(own);
}

void bw_cancel_release(bw_cancel *cancel) {
  bw_cancel_now(cancel);
  if (cancel) bw_context_release(&node_of_cancel(cancel)->base);
}
