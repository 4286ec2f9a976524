// What the channel tests share: values that check themselves, and "does it block?" without
// sleeping.
//
// With one P everything is deterministic: after settle(), every goroutine that can run has run
// until it parked or ended. So "blocks" means: started, settled, not done.
#ifndef BURROW_CHAN_UTIL_H
#define BURROW_CHAN_UTIL_H

#include <stdatomic.h>

#include "test.h"

static inline void settle(void) {
  for (int i = 0; i < 50; i++) bw_gosched();
}

typedef struct {
  bw_chan *c;
  int value; // to send, or received
  bool ok;   // of a receive
  atomic_bool done;
} chan_call;

static inline void chan_call_send(void *arg) {
  chan_call *call = arg;
  bw_chan_send(call->c, &call->value);
  atomic_store(&call->done, true);
}

static inline void chan_call_recv(void *arg) {
  chan_call *call = arg;
  call->ok = bw_chan_recv(call->c, &call->value);
  atomic_store(&call->done, true);
}

// Starts the call on a goroutine and lets it go as far as it can.
static inline void start(chan_call *call, void (*fn)(void *)) {
  CHECK_EQ(bw_go(fn, call), 0);
  settle();
}

#define BLOCKS(call)         CHECK(!atomic_load(&(call).done))
#define DOES_NOT_BLOCK(call) CHECK(atomic_load(&(call).done))

// A goroutine-countdown: the last of n to call group_done lets group_wait return.
typedef struct {
  atomic_int left;
  bw_chan *all_done;
} group;

static inline void group_init(group *g, int n) {
  atomic_init(&g->left, n);
  g->all_done = bw_chan_make(0, 1);
}

static inline void group_done(group *g) {
  if (atomic_fetch_sub(&g->left, 1) == 1) bw_chan_send(g->all_done, NULL);
}

static inline void group_wait(group *g) {
  CHECK(bw_chan_recv(g->all_done, NULL));
  bw_chan_release(g->all_done);
}

#endif
