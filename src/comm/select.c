// Select: one of several operations, chosen at random among those that can go on.
//
//   1  look  at each case without locks; try those that seem ready under their channels' locks, in
//            random order. Most selects end here, with one lock. That the others were not looked at
//            at the same moment does not matter: this one was ready, and it was its turn.
//   2  lock  all channels, by address, and look once more. Nothing can go on at this one moment: so
//            a default is taken rightly, and only now.
//   3  wait  a sudog enters the queue of each case; the goroutine parks, and once its context is
//            saved `commit` starts the deadline's timer, watches what may cancel the wait, and
//            releases all locks.
//   4  tidy  whoever claims the waiter (waitq.h) has done the operation or closed the channel, or
//            is the timer or the cancelling. The other sudogs leave their queues, each under its
//            channel's lock.
//
// What was tried: to yield once before 3, so that those who are about to send or receive come
// first. Four producers that do nothing else are served at twice the speed; one producer beside a
// channel for the end takes half as long again, and a message to a select beside goroutines that
// compute waits for the turns of all of them.
//
// Race story of `commit`: it goes on reading *s after it has released the first lock, when somebody
// may wake the goroutine already. But in 4 the goroutine takes the lock of every channel that still
// has a sudog of it in a queue, and commit has not released a lock => no sudog has left there. So
// the goroutine cannot get through 4, and free *s, before commit has released the last lock. For
// the same reason the timer's start has returned before 4 is over, and drop waits for its `fn`;
// likewise the watch and unwatch.
//
// Locks: channels', by address. Waiter records lie on the selector's stack; more than FEW cases
// take memory for the time of the call.
#include "comm/select.h"

#include "comm/chan.h"
#include "comm/chan_state.h"
#include "sched/parking.h"
#include "sched/timers.h"
#include "sched/unwind.h"

#include <burrow/alloc.h>
#include <burrow/select.h>

enum { FEW = 16, MOST = 65536 };
enum { NO_DEADLINE = BW_SELECT_NO_DEADLINE };

// What ends a select that does nothing.
typedef struct {
  bool waits;                // false: at once
  int64_t deadline;          // NO_DEADLINE: none
  bw__cancel_source *cancel; // NULL: none
  bw__reason reason;         // of the wait
} ending;

typedef struct {
  const bw_case *cases;
  size_t n;
  bw__sudog *sudogs; // one a case
  uint16_t *poll;    // indices in random order
  uint16_t *locks;   // those with a channel, by its address
  size_t lock_count;
  bw_chan **chans; // their channels, each once, in this order
  size_t chan_count;
  bool timers; // some are timers' channels
  ending end;  // r/o
  bw__waiter waiter;
  bw__sudog *winner; // NULL: the deadline, or the cancelling
  bw__timer timer;   // kept; of a goroutine with a deadline
  bw__cancel_watcher watch;
  bool cancelled; // claimed by the watch
} selection;

// ---- orders -------------------------------------------------------------------------------------

// A random permutation; 16 random bits a step, whose bias is below n / 65,536.
static void shuffle(uint16_t *order, size_t n) {
  uint64_t bits = 0;
  for (size_t i = 0; i < n; i++) {
    if (i % 4 == 0) bits = bw__random();
    size_t j = ((bits & 0xffff) * (i + 1)) >> 16;
    bits >>= 16;
    order[i] = order[j];
    order[j] = (uint16_t)i;
  }
}

static uintptr_t address(const selection *s, size_t at) {
  return (uintptr_t)s->cases[s->locks[at]].chan;
}

static void sift_down(selection *s, size_t at, size_t n) {
  uint16_t moving = s->locks[at];
  uintptr_t key = address(s, at);
  for (size_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && address(s, child + 1) > address(s, child)) child++;
    if (address(s, child) <= key) break;
    s->locks[at] = s->locks[child];
  }
  s->locks[at] = moving;
}

// Heap sort, which needs neither memory nor a good input.
static void sort_many(selection *s, size_t n) {
  for (size_t i = n / 2; i-- > 0;) sift_down(s, i, n);
  for (size_t left = n; left-- > 1;) {
    uint16_t greatest = s->locks[0];
    s->locks[0] = s->locks[left];
    s->locks[left] = greatest;
    sift_down(s, 0, left);
  }
}

// Sorts while it fills both, by insertion: what a program selects from mostly stands in order.
static void order_few(selection *s) {
  size_t n = 0;
  for (size_t i = 0; i < s->n; i++) {
    bw_chan *c = s->cases[i].chan;
    if (!c) continue;
    size_t at = n++;
    for (; at > 0 && (uintptr_t)s->chans[at - 1] > (uintptr_t)c; at--) {
      s->chans[at] = s->chans[at - 1];
      s->locks[at] = s->locks[at - 1];
    }
    s->chans[at] = c;
    s->locks[at] = (uint16_t)i;
  }
  s->lock_count = n;
}

static BW_NOINLINE void order_many(selection *s) {
  size_t n = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (s->cases[i].chan) s->locks[n++] = (uint16_t)i;
  }
  sort_many(s, n);
  for (size_t i = 0; i < n; i++) s->chans[i] = s->cases[s->locks[i]].chan;
  s->lock_count = n;
}

static void order_locks(selection *s) {
  if (s->n <= FEW)
    order_few(s);
  else
    order_many(s);
  size_t count = 0;
  for (size_t i = 0; i < s->lock_count; i++)
    if (count == 0 || s->chans[count - 1] != s->chans[i]) s->chans[count++] = s->chans[i];
  s->chan_count = count;
}

static void lock_all(selection *s) {
  for (size_t i = 0; i < s->chan_count; i++) bw__mutex_lock_patient(&s->chans[i]->lock);
  bw__port_mem_sync(); // once for all: see bw__chan_lock
}

// With each channel found before the last lock that protects *s is released.
static void unlock_all(selection *s) {
  size_t n = s->chan_count;
  bw_chan *c = n > 0 ? s->chans[0] : NULL;
  for (size_t i = 1; c; i++) {
    bw_chan *next = i < n ? s->chans[i] : NULL;
    bw__chan_unlock(c);
    c = next;
  }
}

// ---- one case -----------------------------------------------------------------------------------

// Of a case with a channel.
static bool seems_ready(const bw_case *k) {
  if (k->direction == BW_RECV) return !bw__chan_cannot_recv(k->chan);
  bw__chan_check_send(k->chan);
  return !bw__chan_cannot_send(k->chan);
}

// It is a timer's channel, and now it has what was due. Not under the channel's lock.
static bool overdue(const bw_case *k) {
  return k->chan && k->direction == BW_RECV && bw__chan_overdue(k->chan);
}

static bool any_overdue(const selection *s) {
  for (size_t i = 0; i < s->n; i++) {
    if (overdue(&s->cases[i])) return true;
  }
  return false;
}

// 0, BW_EAGAIN or BW_ECLOSED.
static int try_locked(const bw_case *k, bw__sudog **wake) {
  if (k->direction == BW_RECV) return bw__chan_recv_locked(k->chan, k->value, wake);
  return bw__chan_send_locked(k->chan, k->value, wake);
}

// The case has happened. False: it was a send, and the channel is closed.
static bool note_outcome(const bw_case *k, bool ok) {
  if (k->direction == BW_SEND) return ok;
  if (k->ok) *k->ok = ok;
  return true;
}

// ---- 1: look ------------------------------------------------------------------------------------

// Fills s->poll with those that seem ready, and, if there are any, with timers' channels, which may
// have something that nobody has sent yet. Returns how many.
static size_t find_candidates(selection *s) {
  size_t n = 0;
  bool any = false, timers = false;
  for (size_t i = 0; i < s->n; i++) {
    const bw_case *k = &s->cases[i];
    if (!k->chan) continue;
    bool ready = seems_ready(k), timer = bw__chan_is_timers(k->chan);
    if (!ready && !timer) continue;
    s->poll[n++] = (uint16_t)i;
    any |= ready;
    timers |= timer;
  }
  s->timers = timers;
  return any ? n : 0;
}

// The index of the case that happened, or BW_EAGAIN; BW_ECLOSED: it was a send and is to panic.
static int look(selection *s) {
  for (size_t n = find_candidates(s); n > 0;) {
    size_t at = n > 1 ? (size_t)((bw__random() >> 48) * n >> 16) : 0;
    uint16_t index = s->poll[at];
    const bw_case *k = &s->cases[index];
    s->poll[at] = s->poll[--n];
    if (bw__chan_is_timers(k->chan) && !seems_ready(k) && !overdue(k)) continue;
    bw__sudog *wake = NULL;
    bw__chan_lock(k->chan);
    int code = try_locked(k, &wake);
    bw__chan_finish(k->chan, code, wake);
    if (code == BW_EAGAIN) continue;
    return note_outcome(k, code == 0) ? index : BW_ECLOSED;
  }
  return BW_EAGAIN;
}

// ---- 2: at one moment ---------------------------------------------------------------------------

// Under the lock. Perhaps ready: who waits there may be a left-over of a select.
static bool may_be_ready(const bw_case *k) {
  bw_chan *c = k->chan;
  if (!c) return false;
  if (bw__chan_closed(c)) return true;
  size_t count = bw__shared_load(&c->count);
  if (k->direction == BW_RECV) return count > 0 || bw__shared_load(&c->senders.first);
  return count < c->cap || bw__shared_load(&c->receivers.first);
}

static bool any_may_be_ready(const selection *s) {
  for (size_t i = 0; i < s->n; i++) {
    if (may_be_ready(&s->cases[i])) return true;
  }
  return false;
}

// As look, under all locks, which are released unless it returns BW_EAGAIN.
static BW_NOINLINE int try_all_locked(selection *s) {
  shuffle(s->poll, s->n);
  for (size_t i = 0; i < s->n; i++) {
    const bw_case *k = &s->cases[s->poll[i]];
    if (!k->chan) continue;
    bw__sudog *wake = NULL;
    int code = try_locked(k, &wake);
    if (code == BW_EAGAIN) continue;
    bw__waiter *woken = wake ? wake->waiter : NULL;
    unlock_all(s);
    if (woken) bw__waiter_ready(woken);
    return note_outcome(k, code == 0) ? s->poll[i] : BW_ECLOSED;
  }
  return BW_EAGAIN;
}

static BW_INLINE int look_locked(selection *s) {
  return BW_LIKELY(!any_may_be_ready(s)) ? BW_EAGAIN : try_all_locked(s);
}

// Two cases that nobody is to wait for, the most common form of all, without the orders. True:
// neither could go on, at one moment. False: ask again.
static BW_INLINE bool neither_of_two(const bw_case *k) {
  bw_chan *a = k[0].chan, *b = k[1].chan;
  if (!a || !b || a == b) return false;
  bw_chan *first = (uintptr_t)a < (uintptr_t)b ? a : b, *second = first == a ? b : a;
  bw__chan_lock(first);
  bw__chan_lock(second);
  bool neither = !may_be_ready(&k[0]) && !may_be_ready(&k[1]);
  bw__chan_unlock(second);
  bw__chan_unlock(first);
  return neither;
}

// ---- 3 and 4: wait, tidy up ---------------------------------------------------------------------

static bw__waitq *queue_of(const bw_case *k) {
  return k->direction == BW_RECV ? &k->chan->receivers : &k->chan->senders;
}

// Cases of one channel stand in one queue, where the first of them is served: so their order there
// is random.
static void enqueue(selection *s) {
  bool shuffled = s->chan_count < s->lock_count;
  if (shuffled) shuffle(s->poll, s->n);
  for (size_t i = 0; i < (shuffled ? s->n : s->lock_count); i++) {
    uint16_t at = shuffled ? s->poll[i] : s->locks[i];
    const bw_case *k = &s->cases[at];
    bw__sudog *d = &s->sudogs[at];
    if (!k->chan) continue;
    d->elem = k->value;
    d->waiter = &s->waiter;
    d->winner = &s->winner;
    bw__waitq_push(queue_of(k), d);
  }
}

// (What a removal touches is plain memory: no need of bw__port_mem_sync.)
static void leave_queues(selection *s) {
  for (size_t i = 0; i < s->lock_count; i++) {
    const bw_case *k = &s->cases[s->locks[i]];
    bw__sudog *d = &s->sudogs[s->locks[i]];
    if (bw__waitq_left(d)) continue;
    bw__mutex_lock_patient(&k->chan->lock);
    if (!bw__waitq_left(d)) bw__waitq_remove(queue_of(k), d);
    bw__chan_unlock(k->chan);
  }
}

static void abandon(bw__waiter *w) {
  selection *s = BW_CONTAINER(w, selection, waiter);
  for (size_t i = 0; i < s->lock_count; i++) {
    bw__sudog *d = &s->sudogs[s->locks[i]];
    bw__waitq *q = bw__shared_load(&d->queue);
    if (q) bw__waitq_remove(q, d);
  }
  if (s->end.cancel) bw__cancel_unwatch(s->end.cancel, &s->watch);
  if (s->n > FEW) bw_free(s->sudogs); // which select_many would have done
}

static void expire(bw__timer *t, int64_t now) {
  (void)now;
  selection *s = BW_CONTAINER(t, selection, timer);
  if (bw__waiter_claim(&s->waiter)) bw__waiter_ready(&s->waiter);
}

static void interrupt(bw__cancel_watcher *w) {
  selection *s = BW_CONTAINER(w, selection, watch);
  if (!bw__waiter_claim(&s->waiter)) return;
  s->cancelled = true;
  bw__waiter_ready(&s->waiter);
}

static void commit(void *arg) {
  selection *s = arg;
  if (s->end.cancel && !bw__cancel_watch(s->end.cancel, &s->watch, interrupt)) interrupt(&s->watch);
  if (s->end.deadline != NO_DEADLINE && s->waiter.kind == BW_WAIT_GOROUTINE)
    bw__timer_start(&s->timer, s->end.deadline, 0);
  unlock_all(s);
}

// All channels are locked and nothing can go on. Results as look.
static BW_INLINE int wait_for_one(selection *s) {
  bw__m *m = bw__waiter_init_here(&s->waiter);
  s->waiter.abandon = abandon;
  s->winner = NULL;
  s->cancelled = false;
  bool timed = s->end.deadline != NO_DEADLINE && s->waiter.kind == BW_WAIT_GOROUTINE;
  if (timed) bw__timer_init(&s->timer, expire);
  enqueue(s);
  bool woken = bw__wait_commit_here(m, &s->waiter, commit, s, s->end.deadline, s->end.reason);
  if (!woken && !bw__waiter_claim(&s->waiter)) bw__wait_again(&s->waiter);
  leave_queues(s);
  bw__wait_over(&s->waiter);
  if (timed) bw__timer_drop(&s->timer);
  if (s->end.cancel) bw__cancel_unwatch(s->end.cancel, &s->watch);
  if (!s->winner) return s->cancelled ? BW_ECANCELED : BW_ETIMEDOUT;
  int index = (int)(s->winner - s->sudogs);
  return note_outcome(&s->cases[index], s->waiter.ok) ? index : BW_ECLOSED;
}

// No channel at all: one of our own stands in, with nobody else, for its lock and its queue.
int bw__pause_with(int64_t deadline, bw__cancel_source *cancel, bw__reason reason) {
  bw_chan nobody = {.cap = 0};
  bw__mutex_init(&nobody.lock, BW_RANK_CHAN);
  bw_case k = bw_on_recv(&nobody, NULL);
  return bw__select_with(&k, 1, deadline, cancel, reason);
}

static int wait_for_nobody(const selection *s) {
  if (s->end.cancel) return bw__pause_with(s->end.deadline, s->end.cancel, s->end.reason);
  if (s->end.deadline == NO_DEADLINE)
    bw__wait_forever(s->n > 0 ? BW_REASON_SELECT : BW_REASON_SELECT_NONE);
  bw_sleep(s->end.deadline - bw__port_now());
  return BW_ETIMEDOUT;
}

// ---- the whole ----------------------------------------------------------------------------------

static BW_INLINE int run(selection *s) {
  bool waits = s->end.waits;
  int result = look(s);
  if (result != BW_EAGAIN) return result;
  if (BW_UNLIKELY(s->timers) && any_overdue(s) && (result = look(s)) != BW_EAGAIN) return result;
  if (!waits && s->n == 2 && neither_of_two(s->cases)) return BW_EAGAIN;
  order_locks(s);
  lock_all(s);
  result = look_locked(s);
  if (result != BW_EAGAIN) return result;
  if (waits && s->lock_count > 0) return wait_for_one(s);
  unlock_all(s);
  return waits ? wait_for_nobody(s) : BW_EAGAIN;
}

// Room for n cases: sudogs, channels and two orders.
static BW_INLINE int run_with(const bw_case *cases, size_t n, ending end, bw__sudog *sudogs,
                              bw_chan **chans, uint16_t *orders) {
  selection s;
  s.cases = cases;
  s.n = n;
  s.sudogs = sudogs;
  s.poll = orders;
  s.locks = orders + n;
  s.chans = chans;
  s.end = end;
  return run(&s);
}

static BW_INLINE int select_few(const bw_case *cases, size_t n, ending end) {
  bw__sudog sudogs[FEW];
  bw_chan *chans[FEW];
  uint16_t orders[2 * FEW];
  return run_with(cases, n, end, sudogs, chans, orders);
}

static BW_NOINLINE int select_many(const bw_case *cases, size_t n, ending end) {
  if (n > MOST) bw__panic_in("bw_select", "select: too many cases");
  bool any = false;                // a channel
  for (size_t i = 0; i < n; i++) { // here, where a panic leaves no memory behind
    if (cases[i].chan && cases[i].direction == BW_SEND) bw__chan_check_send(cases[i].chan);
    any |= cases[i].chan != NULL;
  }
  if (!any) return select_few(cases, 1, end);
  bw__sudog *sudogs = bw_malloc(n * (sizeof *sudogs + sizeof(bw_chan *) + 2 * sizeof(uint16_t)));
  if (!sudogs) return BW_ENOMEM;
  bw_chan **chans = (bw_chan **)(sudogs + n);
  int result = run_with(cases, n, end, sudogs, chans, (uint16_t *)(chans + n));
  bw_free(sudogs);
  return result;
}

static BW_INLINE int select_among(const bw_case *cases, size_t n, ending end) {
  int result = n <= FEW ? select_few(cases, n, end) : select_many(cases, n, end);
  if (BW_UNLIKELY(result == BW_ECLOSED)) bw__chan_panic_closed("bw_select");
  return result;
}

// ---- the public face ----------------------------------------------------------------------------

static const ending without_end = {true, NO_DEADLINE, NULL, BW_REASON_SELECT};
static const ending at_once = {false, NO_DEADLINE, NULL, BW_REASON_NONE};

// One case and no deadline is the plain operation.
int bw_select(const bw_case *cases, size_t n) {
  if (n != 1) return select_among(cases, n, without_end);
  if (cases->direction == BW_SEND)
    bw_chan_send(cases->chan, cases->value);
  else
    note_outcome(cases, bw_chan_recv(cases->chan, cases->value));
  return 0;
}

int bw_try_select(const bw_case *cases, size_t n) {
  if (n != 1) return select_among(cases, n, at_once);
  int code = cases->direction == BW_SEND ? bw_chan_try_send(cases->chan, cases->value)
                                         : bw_chan_try_recv(cases->chan, cases->value);
  if (code == BW_EAGAIN) return code;
  note_outcome(cases, code == 0);
  return 0;
}

int bw_select_until(const bw_case *cases, size_t n, int64_t deadline) {
  ending end =
      deadline > bw__port_now() ? (ending){true, deadline, NULL, BW_REASON_SELECT} : at_once;
  int result = select_among(cases, n, end);
  return result == BW_EAGAIN ? BW_ETIMEDOUT : result;
}

int bw__select_with(const bw_case *cases, size_t n, int64_t deadline, bw__cancel_source *cancel,
                    bw__reason reason) {
  if (cancel && bw__cancelled(cancel)) {
    int result = select_among(cases, n, at_once);
    return result == BW_EAGAIN ? BW_ECANCELED : result;
  }
  return select_among(cases, n, (ending){true, deadline, cancel, reason});
}

int bw_chan_send_until(bw_chan *c, const void *value, int64_t deadline) {
  bw_case k = bw_on_send(c, value);
  return bw_select_until(&k, 1, deadline);
}

int bw_chan_recv_until(bw_chan *c, void *value, int64_t deadline) {
  bool ok = true;
  bw_case k = bw_on_recv_ok(c, value, &ok);
  int result = bw_select_until(&k, 1, deadline);
  return result == 0 && !ok ? BW_ECLOSED : result;
}
