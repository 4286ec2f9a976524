// Pipelines: the stages and fan-ins of a group.
//
// A flow is a number of workers, each a goroutine of the group, that receive, work and send in a
// loop. A stage's workers have one channel to receive from; a fan-in's have one each and do nothing
// in between. The last to leave closes `out` and frees the flow.
//
// All or nothing: workers wait at the gate until all of them have been started. If that fails they
// are sent home without having touched a channel. Where the group has a limit nobody waits for
// room: those at the gate would never make any.
//
// Order: with several workers an ordered stage hands two turns round in a ring, the turn to receive
// and the turn to send. Value k goes to worker k mod n, and its result leaves when worker k - 1 has
// sent and handed on the turn. A turn is a value in a channel of the worker's whose turn it is;
// there is one of each kind, so handing it on never blocks. Who finds `in` closed hands on its turn
// to receive, so that the others find out, too; the turns to send of earlier values go on by
// themselves. When the group is stopped nobody waits for a turn any more.
//
// Rejected: a dispatcher and a collector around the workers (two more goroutines and two more
// hand-overs a value); results in a heap by number (no bound, if one value takes long).
//
// Locks: none of its own. Blocks: only its own goroutines.
#include "base/atomics.h"
#include "port/port.h"

#include <burrow/alloc.h>
#include <burrow/error.h>
#include <burrow/go.h>
#include <burrow/patterns.h>
#include <string.h>

struct flow;

// All r/o once the gate is open, but what `value` and `result` point to.
typedef struct worker {
  struct flow *flow;
  struct worker *next; // in the ring
  bw_chan *in;
  void *value, *result;           // `result` is `value` where values pass unchanged
  bw_chan *recv_turn, *send_turn; // NULL: takes no turns
} worker;

typedef struct flow {
  bw_group *group;
  bw_chan *out;  // NULL: none
  bw_chan *gate; // closed when the workers may go
  bw_stage what; // fn NULL: values pass unchanged
  bool ordered;
  bool called_off; // written before the gate opens
  _Atomic(int) left;
  int count;
  worker workers[];
} flow;

// ---- life ---------------------------------------------------------------------------------------

static void free_flow(flow *f) {
  for (int i = 0; i < f->count; i++) {
    worker *w = &f->workers[i];
    bw_chan_release(w->in);
    bw_chan_release(w->recv_turn);
    bw_chan_release(w->send_turn);
  }
  bw_chan_release(f->gate);
  bw_chan_release(f->out);
  bw_free(f);
}

// The last touch of *f.
static void leave(flow *f) {
  if (bw__sub(&f->left, 1) != 1) return;
  if (f->out && !f->called_off) bw_chan_close(f->out);
  free_flow(f);
}

static size_t room_for(size_t bytes) { return (bytes + 15) & ~(size_t)15; }

// A flow of `count` workers with room for values of these sizes, and nothing started. `ins` has one
// channel, or one a worker. NULL: no memory.
static flow *make(bw_group *g, bw_chan *const *ins, bool one_in, int count, bw_chan *out,
                  const bw_stage *what) {
  size_t in_room = count ? room_for(bw_chan_elem_size(ins[0])) : 0;
  size_t out_room = what->fn ? room_for(bw_chan_elem_size(out)) : 0;
  size_t most = (PTRDIFF_MAX - sizeof(flow) - 64) / (sizeof(worker) + in_room + out_room);
  if ((size_t)count > most) return NULL;
  size_t head = room_for(sizeof(flow) + (size_t)count * sizeof(worker));
  size_t values = (size_t)count * (in_room + out_room);
  flow *f = bw_malloc(head + values);
  if (!f) return NULL;
  memset(f, 0, head);
  f->group = g;
  f->out = bw_chan_retain(out);
  f->what = *what;
  f->ordered = what->ordered && count > 1;
  f->count = count;
  bw__store_relaxed(&f->left, 1); // the maker; published by bw_go
  bool complete = (f->gate = bw_chan_make(0, 0)) != NULL;
  char *at = (char *)f + head;
  for (int i = 0; i < count; i++, at += in_room + out_room) {
    worker *w = &f->workers[i];
    w->flow = f;
    w->next = &f->workers[(i + 1) % count];
    w->in = bw_chan_retain(ins[one_in ? 0 : i]);
    w->value = at;
    w->result = !what->fn ? at : out ? at + in_room : NULL;
    if (!f->ordered) continue;
    w->recv_turn = bw_chan_make(0, 1);
    w->send_turn = bw_chan_make(0, 1);
    if (!w->recv_turn || !w->send_turn) complete = false;
  }
  if (complete) return f;
  free_flow(f);
  return NULL;
}

// ---- the workers --------------------------------------------------------------------------------

// False: the group is stopped.
static bool wait_for(const worker *w, bw_chan *turn) {
  return !turn || bw_group_recv(w->flow->group, turn, NULL);
}

static void hand_on(bw_chan *turn) {
  if (turn) bw_chan_send(turn, NULL);
}

// Until `in` ends, the group is stopped (0) or fn has an error (its code).
static int pass_values(const worker *w) {
  const flow *f = w->flow;
  for (;;) {
    if (!wait_for(w, w->recv_turn)) return 0;
    bool received = bw_group_recv(f->group, w->in, w->value);
    hand_on(w->next->recv_turn);
    if (!received) return 0;
    int code = f->what.fn ? f->what.fn(f->what.arg, w->value, w->result) : 0;
    if (code < 0) return code;
    if (!wait_for(w, w->send_turn)) return 0;
    bool wanted = code > 0 || !f->out || bw_group_send(f->group, f->out, w->result);
    hand_on(w->next->send_turn);
    if (!wanted) return 0;
  }
}

// An error stops the group before the last worker closes `out`: who sees that closed early finds
// the group stopped.
static int run_worker(void *arg) {
  const worker *w = arg;
  flow *f = w->flow;
  bw_chan_recv(f->gate, NULL);
  if (!f->called_off) {
    int code = pass_values(w);
    if (code) bw_group_stop(f->group, code);
  }
  leave(f);
  return 0;
}

// Starts the workers, all or none. Takes f; f may be NULL.
static int start(flow *f) {
  if (!f) return BW_ENOMEM;
  int code = 0;
  for (int i = 0; i < f->count && !code; i++) {
    bw__add_relaxed(&f->left, 1);
    code = bw_group_try_go(f->group, run_worker, &f->workers[i]);
    if (code) bw__sub(&f->left, 1);
  }
  f->called_off = code != 0;
  if (!code && f->ordered) {
    hand_on(f->workers[0].recv_turn);
    hand_on(f->workers[0].send_turn);
  }
  bw_chan_close(f->gate);
  leave(f);
  return code;
}

// ---- the public face ----------------------------------------------------------------------------

int bw_group_stage(bw_group *g, bw_chan *in, bw_chan *out, const bw_stage *stage) {
  if (!stage->fn || !in) return BW_EINVAL;
  int workers = stage->workers > 0 ? stage->workers : bw_procs();
  return start(make(g, &in, true, workers > 0 ? workers : 1, out, stage));
}

int bw_group_merge(bw_group *g, bw_chan *const *ins, size_t n, bw_chan *out) {
  if (!out || n > INT32_MAX) return BW_EINVAL;
  for (size_t i = 0; i < n; i++)
    if (!ins[i] || bw_chan_elem_size(ins[i]) != bw_chan_elem_size(out)) return BW_EINVAL;
  return start(make(g, ins, false, (int)n, out, &(bw_stage){0}));
}
