// Agents: where a JavaScript thread's finished operations arrive.
#ifndef BURROW_ENTRY_JS_AGENT_H
#define BURROW_ENTRY_JS_AGENT_H

#include "entry/js/abi.h"
#include "base/list.h"

// The beginning of every operation; behind it lies what its kind needs: a ticket, a value.
typedef struct bw__js_op {
  bw_js_op pub; // first: JavaScript holds its address
  const struct bw__js_op_kind *kind;
  struct bw__js_agent *agent;
  struct bw__js_op *next; // in the agent's queue of finished ops
  bw__list pending;       // in agent->pending: the agent's thread only
} bw__js_op;

// All on the agent's thread, or when that has ended.
typedef struct bw__js_op_kind {
  // Takes it back. True: it will not come. False: it comes, soon.
  bool (*cancel)(bw__js_op *op);
  // The same when nobody wants the outcome.
  bool (*abandon)(bw__js_op *op);
  // Of one that has come with BW_EAGAIN (or BW_JS_TAKEN): goes on, with another code in the op;
  // BW_EAGAIN: it will come again, and must not be touched. NULL: none does.
  int (*resume)(bw__js_op *op);
  // It has come, and JavaScript will not hear of it: gives back what it got. NULL: nothing.
  void (*undo)(bw__js_op *op);
  // Before it is freed.
  void (*end)(bw__js_op *op);
} bw__js_op_kind;

typedef struct bw__js_agent {
  bw_js_agent pub;               // first
  _Atomic(bw__js_op *) done;     // pushed by any thread, taken whole by the agent's
  bw__js_op *taken;              // taken, oldest first: the agent's thread only
  bw__list pending;              // all ops not yet given to JavaScript: the agent's thread only
  _Atomic(bool) used;            // false: bw__js_agent_make may take it
  struct bw__js_agent *all_next; // list of all agents: r/o once linked
} bw__js_agent;

bw__js_agent *bw__js_agent_make(void); // NULL: no memory
// Takes back every pending op, then recycles the agent. Called on its own thread, or when that
// ended.
void bw__js_agent_end(bw__js_agent *agent);

// An op of `size` bytes, pending on the calling thread's agent. NULL: no memory.
bw__js_op *bw__js_op_make(const bw__js_op_kind *kind, size_t size, uint32_t key);
// It stays behind (BW_EAGAIN), and JavaScript may ask for its address; any other code: freed.
// Returns the code. After BW_EAGAIN somebody may have ended it: only its address is used.
int bw__js_op_begun(bw__js_op *op, int code);
// Its last step, on whatever thread ends the wait: the op belongs to the agent's thread from here.
// Blocks: never. Locks: none.
void bw__js_op_finish(bw__js_op *op, int code);

#endif
