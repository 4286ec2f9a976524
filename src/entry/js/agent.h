// Agents: where a JavaScript thread's finished operations arrive.
#ifndef BURROW_ENTRY_JS_AGENT_H
#define BURROW_ENTRY_JS_AGENT_H

#include "entry/js/abi.h"
#include "comm/chan.h"

typedef struct bw__js_op {
  bw_js_op pub; // first: JavaScript holds its address
  bw__place ticket;
  struct bw__js_agent *agent;
  struct bw__js_op *next; // in the agent's queue of finished ops
  bw__list pending;       // in agent->pending: the agent's thread only
  bw_chan *chan;          // a reference
  _Alignas(16) char value[];
} bw__js_op;

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
// An op for `size` bytes of value, pending on `agent`; takes over the reference to `chan`. NULL: no
// memory.
bw__js_op *bw__js_op_make(bw__js_agent *agent, bw_chan *chan, size_t size, uint32_t key);

#endif
