// What the channel tests share: "does it block?" without sleeping, the forms in which an operation
// may be written, plain threads, seeds.
//
// With one P everything is deterministic: after settle(), every goroutine that can run has run
// until it parked or ended. So "blocks" means: started, settled, not done.
#ifndef BURROW_CHAN_UTIL_H
#define BURROW_CHAN_UTIL_H

#include <stdatomic.h>

#include "test.h"

#include "port/port.h"

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

// ---- forms --------------------------------------------------------------------------------------

// One operation, written in each way that there is. The other cases of a form that has some are of
// receives from `dummy`, into which nobody sends; FORM_MANY has more cases than a select keeps on
// its stack.
typedef enum {
  FORM_PLAIN,
  FORM_ONE,
  FORM_TWO,
  FORM_MANY,
  FORM_UNTIL,     // with a deadline that is far away
  FORM_TWO_UNTIL, //
  FORM_TRY,       // from here on: none waits
  FORM_TRY_ONE,
  FORM_TRY_TWO,
  FORM_TRY_MANY,
  FORM_PAST, // a deadline that has passed
  FORM_TWO_PAST,
  FORMS,
  FORM_WAITING = FORM_TRY, // how many may wait
} chan_form;

enum { FORM_MANY_CASES = 20 };

static inline int64_t chan_form_deadline(chan_form form) {
  return form >= FORM_PAST ? bw_now() - 1 : bw_now() + 3600 * BW_SECOND;
}

// What a form returns when it would have to wait.
static inline int chan_form_refusal(chan_form form) {
  return form >= FORM_PAST ? BW_ETIMEDOUT : BW_EAGAIN;
}

// As a select whose last case is `k`. 0, or the refusal.
static inline int chan_form_select(chan_form form, bw_case k, bw_chan *dummy) {
  bw_case cases[FORM_MANY_CASES];
  int n = 2, index;
  if (form == FORM_ONE || form == FORM_TRY_ONE) n = 1;
  if (form == FORM_MANY || form == FORM_TRY_MANY) n = FORM_MANY_CASES;
  for (int i = 0; i < n; i++) cases[i] = bw_on_recv(dummy, NULL);
  cases[n - 1] = k;
  if (form == FORM_TWO_UNTIL || form == FORM_TWO_PAST)
    index = bw_select_until(cases, (size_t)n, chan_form_deadline(form));
  else if (form < FORM_WAITING)
    index = bw_select(cases, (size_t)n);
  else
    index = bw_try_select(cases, (size_t)n);
  if (index < 0) return index;
  CHECK_EQ(index, n - 1);
  return 0;
}

static inline int chan_form_result(chan_form form, int code) {
  if (code == 0 || code == BW_ECLOSED) return code;
  CHECK(form >= FORM_WAITING);
  CHECK_EQ(code, chan_form_refusal(form));
  return BW_EAGAIN;
}

// 0, or BW_EAGAIN when it would have to wait.
static inline int chan_form_send(chan_form form, bw_chan *c, const void *value, bw_chan *dummy) {
  int code = 0;
  if (form == FORM_PLAIN)
    bw_chan_send(c, value);
  else if (form == FORM_TRY)
    code = bw_chan_try_send(c, value);
  else if (form == FORM_UNTIL || form == FORM_PAST)
    code = bw_chan_send_until(c, value, chan_form_deadline(form));
  else
    code = chan_form_select(form, bw_on_send(c, value), dummy);
  return chan_form_result(form, code);
}

// The same; BW_ECLOSED: closed and drained.
static inline int chan_form_recv(chan_form form, bw_chan *c, void *value, bw_chan *dummy) {
  int code = 0;
  bool ok = true;
  if (form == FORM_PLAIN)
    ok = bw_chan_recv(c, value);
  else if (form == FORM_TRY)
    code = bw_chan_try_recv(c, value);
  else if (form == FORM_UNTIL || form == FORM_PAST)
    code = bw_chan_recv_until(c, value, chan_form_deadline(form));
  else
    code = chan_form_select(form, bw_on_recv_ok(c, value, &ok), dummy);
  return chan_form_result(form, code == 0 && !ok ? BW_ECLOSED : code);
}

// ---- plain threads ------------------------------------------------------------------------------

// Started by a goroutine, which they may keep waiting: see bw_outside_enter.
typedef struct {
  bw__port_thread thread;
  void (*fn)(void *arg);
  void *arg;
} chan_thread;

static inline void chan_thread_run(void *arg) {
  chan_thread *t = arg;
  t->fn(t->arg);
  bw_outside_leave();
}

static inline void chan_thread_start(chan_thread *t, void (*fn)(void *arg), void *arg) {
  t->fn = fn;
  t->arg = arg;
  bw_outside_enter();
  CHECK_EQ(bw__port_thread_start(&t->thread, chan_thread_run, t), 0);
}

static inline void chan_thread_join_blocking(void *thread) { bw__port_thread_join(thread); }

// While other goroutines go on.
static inline void chan_thread_join(chan_thread *t) {
  bw_blocking(chan_thread_join_blocking, &t->thread);
}

// ---- seeds --------------------------------------------------------------------------------------

// BURROW_STRESS_SEED, else a new one (on wasm out of the clock); printed, so that a run can be had
// again.
static inline uint64_t chan_seed(void) {
  const char *s = bw__port_env("BURROW_STRESS_SEED");
  uint64_t seed = s ? strtoull(s, NULL, 0) : (bw__port_seed() ^ (uint64_t)bw_now()) % 1000000;
  fprintf(stderr, "BURROW_STRESS_SEED=%" PRIu64 "\n", seed);
  return seed;
}

#endif
