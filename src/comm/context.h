// A context's inside, for the rooms that work on it: context.c (made, asked, freed), context_end.c
// (how contexts end), context_after.c (functions called then), context_text.c, context_waits.c.
//
// Four kinds. The roots are static. A context with a value, and one without its parent's end, are a
// link to the parent and little more. One that can end is a *node*, and each context knows the
// nearest node on its way up, itself included: what it says of its end is what that node says. So
// the nodes form a tree of their own; a node's watch is in the list of the node above it, and that
// list is all that a node knows of those below it.
#ifndef BURROW_COMM_CONTEXT_H
#define BURROW_COMM_CONTEXT_H

#include "sched/timers.h"
#include "sync/cancel.h"

#include <burrow/context.h>

typedef enum {
  BW_CONTEXT_BACKGROUND,
  BW_CONTEXT_TODO,
  BW_CONTEXT_VALUE,
  BW_CONTEXT_WITHOUT,
  BW_CONTEXT_CANCEL, // from here on: nodes
  BW_CONTEXT_TIMED,  // with a deadline of its own
} bw__context_kind;

struct bw_context {
  _Atomic(uint32_t) refs;        // not of the roots
  bw__context_kind kind;         // r/o, as all that follows
  bw_context *parent;            // one reference; NULL: a root
  struct bw__context_node *node; // the nearest; NULL: it never ends
};

// What whoever ends a node has to do beyond it: a node below, a call. Each function is called by
// that one, outside of all locks and watches, once for each task, in this order.
typedef struct bw__context_tasks bw__context_tasks;
typedef struct bw__context_task {
  struct bw__context_task *next;
  const struct bw__context_task_kind *kind; // r/o
  bool mine;                                // what `run` returned
} bw__context_task;

typedef struct bw__context_task_kind {
  bool (*run)(bw__context_task *task, bw__context_tasks *all); // may add tasks. True: it did it
  void (*wait)(bw__context_task *task); // until somebody else has done it; NULL: nobody waits
  void (*over)(bw__context_task *task); // all that are waited for are done; NULL: nobody cares
  void (*release)(bw__context_task *task);
} bw__context_task_kind;

// In the order in which they were found: breadth first. On the stack of the one who ends.
struct bw__context_tasks {
  bw__context_task *first, **end;
};

// LIVE -> MARKING by a cas, which decides who ends the node; that one does the rest.
typedef enum {
  BW_PHASE_LIVE,
  BW_PHASE_MARKING, // err, cause and text are being written
  BW_PHASE_MARKED,  // they are there, and stay; those below are being ended
  BW_PHASE_ENDED,   // all below has ended
} bw__context_phase;

typedef struct bw__context_node {
  bw_context base;
  _Atomic(uint32_t) phase;  // bw__context_phase
  int err, cause;           // written in MARKING, r/o after it, as `text`
  const char *text;         // the cause's, or NULL: its own, or that of a node above
  char *own_text;           // freed with the node
  int64_t deadline;         // BW_NEVER: none. r/o
  _Atomic(bw_chan *) done;  // NULL: nobody has asked; bw__context_closed: it ended before that
  bw__cancel_source source; // fired when it ends, after all of the above
  bw__cancel_watcher watch; // of the source of the node above, if there is one
  bw__context_task task;    // of whoever ends the node above
  bw__context_tasks *tasks; // where those who watch `source` put theirs: of who ends this node
} bw__context_node;

typedef struct {
  bw__context_node node;
  bw__timer timer;  // parting; armed, it has a reference to the context
  int code;         // the cause when time runs out
  const char *text; // the same; points behind the struct. NULL: none
} bw__context_timed;

typedef struct {
  bw_context base;
  const bw_context_key *key;
  void *value;
  void (*free_value)(void *value);
} bw__context_value;

// ---- for other rooms ----------------------------------------------------------------------------

// What to watch for ctx's end. NULL: it never ends. Panics for NULL. Any watch of it that is called
// finds bw_context_err set.
bw__cancel_source *bw__context_source(bw_context *ctx);

// ---- context.c ----------------------------------------------------------------------------------

// ctx, or a panic.
bw_context *bw__context_check(bw_context *ctx);
bw_context *bw__context_check_parent(bw_context *parent);
// Sets base's fields, with `refs` references, and takes one to the parent.
void bw__context_init(bw_context *ctx, bw__context_kind kind, bw_context *parent, uint32_t refs);
// A reference, unless the last one is gone already. For who is kept from being too late by a lock,
// or a wait, of the one who frees.
bool bw__context_try_retain(bw_context *ctx);

// ---- context_end.c ------------------------------------------------------------------------------

// The done channel of all that ended before anybody asked for theirs. Closed; not counted.
extern bw_chan bw__context_closed;

// Takes a node, whose last reference is gone, out of the tree.
void bw__context_leave(bw__context_node *n);

static inline bool bw__context_ended(const bw__context_node *n) {
  return bw__load_acquire(&n->phase) >= BW_PHASE_MARKED; // pairs with the store in mark
}

static inline void bw__context_tasks_add(bw__context_tasks *all, bw__context_task *task) {
  task->next = NULL;
  *all->end = task;
  all->end = &task->next;
}

#endif
