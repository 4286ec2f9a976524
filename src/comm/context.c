// Contexts: made, asked, freed. What ends them is in context_end.c.
//
// A context is freed by its last reference; the contexts above it keep theirs, so what an ended
// context says, its cause's text and its values stay for as long as it does. Freeing goes up
// in a loop: a chain of contexts may be longer than a stack is deep.
//
// Locks: none. Blocks: never; freeing a node waits for its watch (context_end.c), a few
// instructions of another thread.
#include "comm/context.h"

#include "comm/chan_state.h"
#include "port/port.h"
#include "sched/unwind.h"

#include <burrow/alloc.h>

static bw_context background = {.kind = BW_CONTEXT_BACKGROUND};
static bw_context todo = {.kind = BW_CONTEXT_TODO};

bw_context *bw_context_background(void) { return &background; }
bw_context *bw_context_todo(void) { return &todo; }

bw_context *bw__context_check(bw_context *ctx) {
  if (BW_UNLIKELY(!ctx)) bw__panic_runtime_in("bw_context", "nil context");
  return ctx;
}

bw_context *bw__context_check_parent(bw_context *parent) {
  if (BW_UNLIKELY(!parent)) bw__panic_in("bw_context", "cannot create context from nil parent");
  return parent;
}

// ---- life ---------------------------------------------------------------------------------------

static bool is_counted(const bw_context *ctx) { return ctx->parent != NULL; }

void bw__context_init(bw_context *ctx, bw__context_kind kind, bw_context *parent, uint32_t refs) {
  *ctx = (bw_context){.kind = kind, .parent = bw_context_retain(parent), .node = parent->node};
  bw__store_relaxed(&ctx->refs, refs); // published with the context
}

bw_context *bw_context_retain(bw_context *ctx) {
  if (ctx && is_counted(ctx)) bw__add_relaxed(&ctx->refs, 1); // the caller has one already
  return ctx;
}

bool bw__context_try_retain(bw_context *ctx) {
  uint32_t n = bw__load_relaxed(&ctx->refs); // the cas looks again
  while (n > 0)
    if (bw__cas(&ctx->refs, &n, n + 1)) return true;
  return false;
}

static void free_one(bw_context *ctx) {
  if (ctx->kind == BW_CONTEXT_VALUE) {
    bw__context_value *v = (bw__context_value *)ctx;
    if (v->free_value) v->free_value(v->value);
  } else if (ctx->kind >= BW_CONTEXT_CANCEL) {
    bw__context_leave(ctx->node);
    bw_free(ctx->node->own_text);
    bw_chan *done = bw__load_relaxed(&ctx->node->done); // nobody else has the context
    if (done != &bw__context_closed) bw_chan_release(done);
  }
  bw_free(ctx);
}

// Nobody can get a reference but from one that is there: no node above watches it.
static bool is_unwatched(const bw_context *ctx) {
  return ctx->kind == BW_CONTEXT_VALUE || !ctx->parent->node;
}

// Gives a reference back. True: it was the last. (The only one need not be taken off.)
static bool drop(bw_context *ctx) {
  if (is_unwatched(ctx) && bw__load_acquire(&ctx->refs) == 1) return true; // pairs with others' sub
  return bw__sub(&ctx->refs, 1) == 1;
}

void bw_context_release(bw_context *ctx) {
  while (ctx && is_counted(ctx) && drop(ctx)) {
    bw_context *parent = ctx->parent;
    free_one(ctx);
    ctx = parent;
  }
}

// ---- values -------------------------------------------------------------------------------------

bw_context *bw_with_value(bw_context *parent, const bw_context_key *key, void *value,
                          void (*free_value)(void *value)) {
  bw__context_check_parent(parent);
  if (!key) bw__panic("nil key");
  bw__context_value *v = bw_malloc(sizeof *v);
  if (!v) return NULL;
  bw__context_init(&v->base, BW_CONTEXT_VALUE, parent, 1);
  v->key = key;
  v->value = value;
  v->free_value = free_value;
  return &v->base;
}

void *bw_context_value(bw_context *ctx, const bw_context_key *key) {
  for (ctx = bw__context_check(ctx); ctx; ctx = ctx->parent) {
    const bw__context_value *v = (const bw__context_value *)ctx;
    if (ctx->kind == BW_CONTEXT_VALUE && v->key == key) return v->value;
  }
  return NULL;
}

bw_context *bw_without_cancel(bw_context *parent) {
  bw__context_check_parent(parent);
  bw_context *ctx = bw_malloc(sizeof *ctx);
  if (!ctx) return NULL;
  bw__context_init(ctx, BW_CONTEXT_WITHOUT, parent, 1);
  ctx->node = NULL;
  return ctx;
}

// ---- what the nearest node says -----------------------------------------------------------------

static bw__context_node *node_of(bw_context *ctx) { return bw__context_check(ctx)->node; }

// NULL: it has not ended.
static const bw__context_node *ended_node_of(bw_context *ctx) {
  const bw__context_node *n = node_of(ctx);
  return n && bw__context_ended(n) ? n : NULL;
}

bool bw_context_may_end(bw_context *ctx) { return node_of(ctx) != NULL; }

int bw_context_err(bw_context *ctx) {
  const bw__context_node *n = ended_node_of(ctx);
  return n ? n->err : 0;
}

int bw_context_cause(bw_context *ctx) {
  const bw__context_node *n = ended_node_of(ctx);
  return n ? n->cause : 0;
}

const char *bw_context_cause_text(bw_context *ctx) {
  const bw__context_node *n = ended_node_of(ctx);
  if (!n) return NULL;
  return n->text ? n->text : bw_strerror(n->cause);
}

bool bw_context_deadline(bw_context *ctx, int64_t *deadline) {
  const bw__context_node *n = node_of(ctx);
  if (!n || n->deadline == BW_NEVER) return false;
  if (deadline) *deadline = n->deadline;
  return true;
}

// Whoever ends the node finds either nothing here, and leaves the closed channel, or the channel
// that was made, and closes it: one word decides.
bw_chan *bw_context_done(bw_context *ctx) {
  bw__context_node *n = node_of(ctx);
  if (!n) return NULL;
  bw_chan *done = bw__load_acquire(&n->done); // pairs with the cas, here and in context_end.c
  if (done) return done;
  bw_chan *fresh = bw_chan_make(0, 0);
  if (!fresh) return bw__load_acquire(&n->done);
  if (bw__cas(&n->done, &done, fresh)) return fresh;
  bw_chan_release(fresh);
  return done;
}

bw__cancel_source *bw__context_source(bw_context *ctx) {
  bw__context_node *n = node_of(ctx);
  return n ? &n->source : NULL;
}
