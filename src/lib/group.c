// Groups of goroutines, and work in parallel.
//
// A group counts those who use it: its goroutines, and its maker until bw_group_wait. Who leaves
// last closes `done`, which is what the maker waits on; nobody touches the group after leaving it,
// since the maker may have freed it.
//
//   I1  left > 0 until the maker waits and all goroutines have returned; a maker that gives up
//       counts itself again, unless left is 0 by then: in that case all have returned, and `done`
//       is closed or about to be
//   I2  `stopped` is closed once, by who sets `stopping`
//   I3  code goes from 0 to another value once
//   I4  `stopped` is closed => the context ends, and the other way round
//
// Of a group with a context: who stops it cancels the context; the context's end, from above say,
// stops the group by the watch. Both go through `stopping`, so the second finds it done. The watch
// is called by who ends the context, and closes a channel, but cancels nothing: it has ended.
//
// Locks: none of its own. Blocks: G | M in the functions that may park.
#include "base/atomics.h"
#include "comm/context.h"
#include "port/port.h"
#include "sched/unwind.h"

#include <burrow/alloc.h>
#include <burrow/defer.h>
#include <burrow/error.h>
#include <burrow/go.h>
#include <burrow/mutex.h>
#include <burrow/patterns.h>

struct bw_group {
  bw_chan *stopped, *done; // r/o after make
  _Atomic(size_t) left;
  _Atomic(int) code;
  _Atomic(bool) stopping;
  bool limited;      // r/o while there are goroutines
  bw_sema free;      // if it is: how many more there may be
  bw_context *ctx;   // NULL: none. r/o, as the next
  bw_cancel *cancel; // of ctx
  bw__cancel_watcher watch;
};

typedef struct {
  bw_group *group;
  int (*fn)(void *arg);
  void *arg;
} member;

static void free_group(bw_group *g) {
  if (g->ctx) bw__cancel_unwatch(bw__context_source(g->ctx), &g->watch);
  bw_cancel_release(g->cancel);
  bw_context_release(g->ctx);
  bw_chan_release(g->stopped);
  bw_chan_release(g->done);
  bw_free(g);
}

bw_group *bw_group_make(void) {
  bw_group *g = bw_malloc(sizeof *g);
  if (!g) return NULL;
  *g = (bw_group){.stopped = bw_chan_make(0, 0), .done = bw_chan_make(0, 0)};
  bw__store_relaxed(&g->left, 1); // relaxed: published by bw_go
  if (g->stopped && g->done) return g;
  free_group(g);
  return NULL;
}

static bool stop_first(bw_group *g, int code) {
  int none = 0;
  if (bw__swap(&g->stopping, true)) return false;
  if (code) bw__cas(&g->code, &none, code);
  bw_chan_close(g->stopped);
  return true;
}

static void context_ended(bw__cancel_watcher *w) {
  bw_group *g = BW_CONTAINER(w, bw_group, watch);
  stop_first(g, bw_context_err(g->ctx));
}

bw_group *bw_group_make_ctx(bw_context *parent, bw_context **ctx) {
  *ctx = NULL;
  bw__context_check_parent(parent);
  bw_group *g = bw_group_make();
  if (!g) return NULL;
  bw__cancel_init_watcher(&g->watch);
  g->ctx = bw_with_cancel(parent, &g->cancel);
  if (!g->ctx) {
    free_group(g);
    return NULL;
  }
  if (!bw__cancel_watch(bw__context_source(g->ctx), &g->watch, context_ended))
    stop_first(g, bw_context_err(g->ctx));
  *ctx = g->ctx;
  return g;
}

// Deferred, so that it is done when fn ends its goroutine as well.
// The last touch of *g. The reference keeps `done` for the call that closes it: the maker may free
// the group as soon as it sees it closed.
static void leave(void *group) {
  bw_group *g = group;
  bw_chan *done = bw_chan_retain(g->done);
  if (g->limited) bw_sema_release(&g->free, 1);
  if (bw__sub(&g->left, 1) == 1) bw_chan_close(done);
  bw_chan_release(done);
}

static void run_member(void *arg) {
  const member *m = arg;
  bw_group *g = m->group;
  BW_DEFER_SCOPE;
  BW_DEFER(leave, g);
  int code = m->fn(m->arg);
  if (code) bw_group_stop(g, code);
}

// There is room for it.
static int start(bw_group *g, int (*fn)(void *arg), void *arg) {
  member m = {g, fn, arg};
  bw_go_options copied = {.arg_size = sizeof m};
  bw__add_relaxed(&g->left, 1); // the caller is counted: it cannot be 0 before
  int code = bw_go_with(&copied, run_member, &m);
  if (code == 0) return 0;
  if (g->limited) bw_sema_release(&g->free, 1);
  bw__sub(&g->left, 1);
  return code;
}

int bw_group_go(bw_group *g, int (*fn)(void *arg), void *arg) {
  if (g->limited) bw_sema_acquire(&g->free);
  return start(g, fn, arg);
}

int bw_group_go_ctx(bw_context *ctx, bw_group *g, int (*fn)(void *arg), void *arg) {
  bw__context_check(ctx);
  int code = g->limited ? bw_sema_acquire_ctx(ctx, &g->free) : 0;
  return code ? code : start(g, fn, arg);
}

int bw_group_try_go(bw_group *g, int (*fn)(void *arg), void *arg) {
  if (g->limited && !bw_sema_try_acquire(&g->free)) return BW_EAGAIN;
  return start(g, fn, arg);
}

void bw_group_set_limit(bw_group *g, int n) {
  size_t active = bw__load(&g->left) - 1;
  if (active > 0)
    bw__panic("errgroup: modify limit while %zu goroutines in the group are still active", active);
  g->limited = n >= 0;
  g->free = (bw_sema)BW_SEMA(n < 0 ? 0 : (uint32_t)n);
}

void bw_group_stop(bw_group *g, int code) {
  int none = 0;
  if (code) bw__cas(&g->code, &none, code);
  if (stop_first(g, 0)) bw_cancel_cause(g->cancel, bw__load(&g->code), NULL);
}

bw_chan *bw_group_stopped(bw_group *g) { return g->stopped; }

bool bw_group_send(bw_group *g, bw_chan *c, const void *value) {
  if (bw__load(&g->stopping)) return false;
  return BW_SELECT(bw_on_send(c, value), bw_on_recv(g->stopped, NULL)) == 0;
}

bool bw_group_recv(bw_group *g, bw_chan *c, void *value) {
  bool ok = false;
  if (bw__load(&g->stopping)) return false;
  int which = BW_SELECT(bw_on_recv_ok(c, value, &ok), bw_on_recv(g->stopped, NULL));
  return which == 0 && ok;
}

int bw_group_send_ctx(bw_context *ctx, bw_group *g, bw_chan *c, const void *value) {
  bw__context_check(ctx);
  if (bw__load(&g->stopping)) return BW_ESTATE;
  int which = BW_SELECT_CTX(ctx, bw_on_send(c, value), bw_on_recv(g->stopped, NULL));
  return which == 1 ? BW_ESTATE : which;
}

int bw_group_recv_ctx(bw_context *ctx, bw_group *g, bw_chan *c, void *value) {
  bool ok = false;
  bw__context_check(ctx);
  if (bw__load(&g->stopping)) return BW_ESTATE;
  int which = BW_SELECT_CTX(ctx, bw_on_recv_ok(c, value, &ok), bw_on_recv(g->stopped, NULL));
  if (which == 0) return ok ? 0 : BW_ECLOSED;
  return which == 1 ? BW_ESTATE : which;
}

// All have left, the maker too.
static int end(bw_group *g) {
  int code = bw__load(&g->code);
  free_group(g);
  return code;
}

int bw_group_wait(bw_group *g) {
  if (bw__sub(&g->left, 1) != 1) bw_chan_recv(g->done, NULL);
  return end(g);
}

// The maker counts again. False: all have returned.
static bool come_back(bw_group *g) {
  size_t left = bw__load(&g->left);
  while (left > 0)
    if (bw__cas(&g->left, &left, left + 1)) return true;
  return false;
}

int bw_group_wait_ctx(bw_context *ctx, bw_group *g, int *code) {
  bw__context_check(ctx);
  if (bw__sub(&g->left, 1) != 1) {
    int why = bw_chan_recv_ctx(ctx, g->done, NULL);
    if (why != BW_ECLOSED) {
      if (come_back(g)) return why;
      bw_chan_recv(g->done, NULL);
    }
  }
  int result = end(g);
  if (code) *code = result;
  return 0;
}

// ---- work in parallel ---------------------------------------------------------------------------

typedef struct {
  bw_group *group;
  size_t n;
  int (*fn)(void *arg, size_t i);
  void *arg;
  bw_context *ctx;      // NULL: none
  _Atomic(size_t) next; // the first index that nobody has taken
  bool done;            // the caller's share; the caller's
  int code;             // the result, after end_crew
} crew;

// The context is looked at with an index in hand: so its code says that there is one without a
// call.
static int work(void *arg) {
  crew *c = arg;
  while (!bw__load(&c->group->stopping)) {
    size_t i = bw__add(&c->next, 1);
    if (i >= c->n) break;
    int code = c->ctx ? bw_context_err(c->ctx) : 0;
    if (!code) code = c->fn(c->arg, i);
    if (code) return code;
  }
  return 0;
}

// Whichever way the caller leaves its share, a panic or the end of its goroutine too: the others
// have *c.
static void end_crew(void *arg) {
  crew *c = arg;
  if (!c->done) bw_group_stop(c->group, 0);
  c->code = bw_group_wait(c->group);
}

static int parallel(bw_context *ctx, size_t n, int workers, int (*fn)(void *arg, size_t i),
                    void *arg) {
  bw_group *g = bw_group_make();
  if (!g) return BW_ENOMEM;
  crew c = {.group = g, .n = n, .fn = fn, .arg = arg, .ctx = ctx};
  BW_DEFER_SCOPE;
  BW_DEFER(end_crew, &c);
  if (workers < 1) workers = bw_procs();
  for (int i = 1; i < workers && (size_t)i < n; i++)
    if (bw_group_go(g, work, &c) != 0) break;
  int code = work(&c);
  if (code) bw_group_stop(g, code);
  c.done = true;
  BW_DEFER_RETURN(c.code);
}

int bw_parallel(size_t n, int workers, int (*fn)(void *arg, size_t i), void *arg) {
  return parallel(NULL, n, workers, fn, arg);
}

int bw_parallel_ctx(bw_context *ctx, size_t n, int workers, int (*fn)(void *arg, size_t i),
                    void *arg) {
  return parallel(bw__context_check(ctx), n, workers, fn, arg);
}
