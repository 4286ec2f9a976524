// Wait groups: one word that is counter << 32 | waiters, and a semaphore for those who wait.
//
//   W1  waiters grows only while the counter is above 0
//   W2  whoever takes the counter to 0 while there are waiters resets the word to 0 and then gives
//       a permit for each; nobody else changes the word in between, or it is a misuse
//
// Giving up, which Go's group does not have. Who leaves the queue without a permit looks at the
// word:
//
//   counter > 0, waiters > 0   it is still counted: takes itself off and leaves
//   counter = 0, waiters > 0   W2 is under way: its permit is coming
//   waiters = 0                W2 has happened: its permit is there or coming
//
// In the last two it takes the permit, which nobody else wants (who comes now finds the counter at
// 0 and does not wait), and has not given up. So W2 finds the word as it left it, and does not
// touch the group again once the last permit is given: whoever gets that may free it.
//
// Locks: none; the semaphore table's inside of its functions.
#include "sync/waitgroup.h"

#include "port/port.h"
#include "sched/unwind.h"
#include "sync/mutex.h"

#include <burrow/defer.h>
#include <burrow/go.h>

static _Atomic(uint64_t) *word(bw_waitgroup *wg) { return (_Atomic(uint64_t) *)&wg->state; }
static _Atomic(uint32_t) *sema(bw_waitgroup *wg) { return bw__sema_word(&wg->sema); }
static int32_t counter(uint64_t state) { return (int32_t)(state >> 32); }
static uint32_t waiters(uint64_t state) { return (uint32_t)state; }

static _Noreturn void added_while_waiting(void) {
  bw__panic_in("bw_waitgroup_add", "sync: WaitGroup misuse: Add called concurrently with Wait");
}

void bw_waitgroup_add(bw_waitgroup *wg, int n) {
  uint64_t delta = (uint64_t)(uint32_t)n << 32, state = bw__add(word(wg), delta) + delta;
  if (BW_UNLIKELY(counter(state) < 0)) bw__panic("sync: negative WaitGroup counter");
  if (waiters(state) == 0) return;
  if (BW_UNLIKELY(n > 0 && counter(state) == n)) added_while_waiting();
  if (counter(state) > 0) return;
  if (BW_UNLIKELY(!bw__cas(word(wg), &state, 0))) added_while_waiting();
  bw__sema_release_n(sema(wg), waiters(state));
}

void bw_waitgroup_done(bw_waitgroup *wg) { bw_waitgroup_add(wg, -1); }

// Not in the queue any more, and without a permit. `code`, or 0: there was one after all.
static int give_up(bw_waitgroup *wg, int code) {
  uint64_t state = bw__load(word(wg));
  for (unsigned rounds = 1;; rounds++) {
    if (counter(state) != 0 && waiters(state) > 0) {
      if (bw__cas(word(wg), &state, state - 1)) return code;
      continue;
    }
    if (bw__sema_try(sema(wg))) return 0;
    bw__port_relax(rounds);
    state = bw__load(word(wg));
  }
}

int bw__waitgroup_wait_with(bw_waitgroup *wg, int64_t deadline, bw__cancel_source *cancel) {
  uint64_t state = bw__load(word(wg));
  do {
    if (counter(state) == 0) return 0;
  } while (!bw__cas(word(wg), &state, state + 1));
  int code =
      bw__sema_acquire_until(sema(wg), BW_SEMA_FIFO, BW_REASON_WAITGROUP, wg, deadline, cancel);
  if (BW_UNLIKELY(code != 0 && (code = give_up(wg, code)) != 0)) return code;
  if (BW_UNLIKELY(bw__load(word(wg)) != 0))
    bw__panic_in("bw_waitgroup_wait",
                 "sync: WaitGroup is reused before previous Wait has returned");
  return 0;
}

void bw_waitgroup_wait(bw_waitgroup *wg) { bw__waitgroup_wait_with(wg, BW_SEMA_NO_DEADLINE, NULL); }

int bw_waitgroup_wait_until(bw_waitgroup *wg, int64_t deadline) {
  return bw__waitgroup_wait_with(wg, bw__sync_deadline(deadline), NULL);
}

// Those who are counted; or W2 is under way: its permits are there, or still given one by one.
bool bw__waitgroup_waited(bw_waitgroup *wg) {
  return waiters(bw__load(word(wg))) > 0 || bw__load(sema(wg)) > 0 || bw__sema_waited(sema(wg));
}

// ---- for JavaScript: without panics, and without a stack ----------------------------------------

// One step to 0, so W2's misuse cannot happen here.
int bw__waitgroup_try_add(bw_waitgroup *wg, int n) {
  uint64_t state = bw__load(word(wg)), to;
  int64_t count;
  do {
    count = (int64_t)counter(state) + n;
    if (count < 0 || count > INT32_MAX) return BW_ERANGE;
    if (n > 0 && counter(state) == 0 && waiters(state) > 0) return BW_ESTATE;
    to = count == 0 ? 0 : (uint64_t)count << 32 | waiters(state);
  } while (!bw__cas(word(wg), &state, to));
  if (n < 0 && count == 0) bw__sema_release_n(sema(wg), waiters(state));
  return 0;
}

static void let_go(bw__waiter *w) {
  bw__waitgroup_ticket *t = BW_CONTAINER(w, bw__waitgroup_ticket, w.waiter);
  t->complete(t);
}

void bw__waitgroup_ticket_init(bw__waitgroup_ticket *t, bw_waitgroup *wg,
                               void (*complete)(bw__waitgroup_ticket *t)) {
  bw__sema_ticket_init(&t->w, sema(wg), let_go);
  t->wg = wg;
  t->complete = complete;
}

int bw__waitgroup_wait_ticket(bw__waitgroup_ticket *t) {
  uint64_t state = bw__load(word(t->wg));
  do
    if (counter(state) == 0) return 0;
  while (!bw__cas(word(t->wg), &state, state + 1));
  return bw__sema_acquire_ticket(&t->w, BW_SEMA_FIFO);
}

bool bw__waitgroup_cancel_ticket(bw__waitgroup_ticket *t) {
  if (!bw__sema_cancel_ticket(&t->w)) return false;
  int code = give_up(t->wg, BW_ECANCELED);
  if (code == 0) t->complete(t);
  return code != 0;
}

// ---- go -----------------------------------------------------------------------------------------

typedef struct {
  bw_waitgroup *wg;
  void (*fn)(void *arg);
  void *arg;
} member;

static void done(void *wg) { bw_waitgroup_done(wg); }

static void run(void *arg) {
  const member *m = arg;
  BW_DEFER_SCOPE;
  BW_DEFER(done, m->wg);
  m->fn(m->arg);
}

int bw_waitgroup_go(bw_waitgroup *wg, void (*fn)(void *arg), void *arg) {
  member m = {wg, fn, arg};
  bw_go_options copied = {.arg_size = sizeof m};
  bw_waitgroup_add(wg, 1);
  int code = bw_go_with(&copied, run, &m);
  if (code != 0) bw_waitgroup_done(wg);
  return code;
}
