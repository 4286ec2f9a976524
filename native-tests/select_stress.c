// Selects under contention, with exact accounting.
//
// Eight goroutines, and plain threads where there are any, do random operations on four channels in
// all forms: plain, tries, deadlines so short that they pass while the operation is handed over,
// selects of 1 to 24 cases with nil channels and the same channel several times. Now and then one
// changes the number of Ps, is locked to its thread, or blocks that.
//
// A message is a slot of a table, marked with a number while it is under way: one that is lost
// leaves its slot marked, one that comes twice finds it unmarked. Each send case has a message of
// its own, which is taken back when another case happens; and a receive that does not happen must
// leave its variable alone.
//
// At the end of a round nobody begins an operation any more. Main receives until nobody is left who
// may send, then closes the channels, which lets those out who wait for a value: a goroutine that
// is not woken, or not found by main or by the close, is a hang. In every second round main takes
// part until then; in the others it only sleeps, and the actors may all come to wait for each
// other.
//
// Longer, or again: BURROW_STRESS_SECONDS=60 BURROW_STRESS_SEED=7 burrow-tests select_stress_mix
#include "chan_util.h"

#include "base/atomics.h"
#include "base/rand.h"

enum { CHANS = 4, SLOTS = 2048, ACTORS = 8, THREADS = 2, PROCS_MOST = 5, CASES_MOST = 24 };

typedef struct {
  uint32_t slot, mark, check; // check: of the other two
} message;

typedef struct {
  bw__rand rng;
  bool special; // a goroutine that may lock itself to its thread, or block that
} actor;

static struct {
  bw_chan *chans[CHANS];
  _Atomic(uint32_t) slots[SLOTS]; // 0: free
  _Atomic(bool) stop;
  atomic_int senders; // operations under way that may send
  atomic_int live;    // actors
  atomic_llong sent, received, timeouts, selects;
} w;

static uint32_t below(actor *a, uint32_t n) { return bw__rand_below(&a->rng, n); }

// ---- messages -----------------------------------------------------------------------------------

static uint32_t check_of(uint32_t slot, uint32_t mark) { return mark * 2654435761u ^ slot; }

static message message_make(actor *a) {
  message m = {.mark = (uint32_t)bw__rand_next(&a->rng) | 1};
  for (m.slot = below(a, SLOTS);; m.slot = (m.slot + 1) % SLOTS) {
    uint32_t none = 0;
    if (bw__cas(&w.slots[m.slot], &none, m.mark)) break;
  }
  m.check = check_of(m.slot, m.mark);
  return m;
}

static void message_end(message m) {
  if (m.slot >= SLOTS || m.check != check_of(m.slot, m.mark))
    test_fail(__FILE__, __LINE__, "no message: %u %u %u", m.slot, m.mark, m.check);
  uint32_t mark = m.mark;
  if (!bw__cas(&w.slots[m.slot], &mark, 0))
    test_fail(__FILE__, __LINE__, "message %u of slot %u came twice", m.mark, m.slot);
}

static void message_received(message m) {
  message_end(m);
  atomic_fetch_add(&w.received, 1);
}

// ---- one operation ------------------------------------------------------------------------------

// What an operation has of cases; a plain one has one.
typedef struct {
  size_t n;
  bool sends;
  bw_case cases[CASES_MOST];
  message messages[CASES_MOST];
  bool oks[CASES_MOST];
} operation;

static const message untouched = {77, 78, 79};

static void add_case(actor *a, operation *o, bool send) {
  size_t k = o->n++;
  uint32_t which = below(a, CHANS + 1); // CHANS: nil
  bw_chan *c = which < CHANS ? w.chans[which] : NULL;
  o->oks[k] = false;
  if (send) {
    o->sends |= c != NULL;
    o->messages[k] = message_make(a);
    o->cases[k] = bw_on_send(c, &o->messages[k]);
  } else {
    o->messages[k] = untouched;
    o->cases[k] = bw_on_recv_ok(c, &o->messages[k], &o->oks[k]);
  }
}

// `happened`: index of the case, or a negative code.
static void account(operation *o, int happened) {
  CHECK(happened < (int)o->n);
  for (int k = 0; k < (int)o->n; k++) {
    message *m = &o->messages[k];
    bool sends = o->cases[k].direction == BW_SEND;
    if (k == happened && sends) {
      atomic_fetch_add(&w.sent, 1);
    } else if (sends) {
      message_end(*m);
    } else if (k != happened) {
      CHECK_EQ(memcmp(m, &untouched, sizeof *m), 0);
      CHECK(!o->oks[k]);
    } else if (o->oks[k]) {
      message_received(*m);
    } else {
      CHECK_EQ(m->slot + m->mark + m->check, 0);
      CHECK(bw__load(&w.stop)); // closed: only at the end of a round
    }
  }
}

static int perform(actor *a, operation *o) {
  int64_t deadline = bw_now() + (int64_t)below(a, 1 << below(a, 18));
  bool nil_only = true;
  for (size_t k = 0; k < o->n; k++) nil_only &= !o->cases[k].chan;
  bw_case *first = o->cases;
  bool plain = o->n == 1 && below(a, 2);
  switch (below(a, 4)) {
  case 0:
    if (!plain) return bw_try_select(o->cases, o->n);
    if (first->direction == BW_SEND) return bw_chan_try_send(first->chan, first->value);
    return bw_chan_try_recv(first->chan, first->value);
  case 1:
    if (!plain) return bw_select_until(o->cases, o->n, deadline);
    if (first->direction == BW_SEND) return bw_chan_send_until(first->chan, first->value, deadline);
    return bw_chan_recv_until(first->chan, first->value, deadline);
  default:
    if (nil_only) return bw_try_select(o->cases, o->n);
    if (!plain) return bw_select(o->cases, o->n);
    if (first->direction == BW_SEND)
      bw_chan_send(first->chan, first->value);
    else
      return bw_chan_recv(first->chan, first->value) ? 0 : BW_ECLOSED;
    return 0;
  }
}

static void operate(actor *a) {
  operation o = {.n = 0};
  uint32_t size = below(a, 16);
  size_t n = size < 5 ? 1 : size < 15 ? 1 + below(a, 8) : 17 + below(a, CASES_MOST - 16);
  uint32_t sends = below(a, 3); // none, all, some
  atomic_fetch_add(&w.senders, 1);
  if (bw__load(&w.stop)) {
    atomic_fetch_sub(&w.senders, 1);
    return;
  }
  while (o.n < n) add_case(a, &o, sends == 1 || (sends == 2 && below(a, 2)));
  if (!o.sends) atomic_fetch_sub(&w.senders, 1);
  int happened = perform(a, &o);
  // A plain receive tells by its code what a case tells by its `ok`.
  bool receives = o.cases[0].direction == BW_RECV;
  if (happened == BW_ECLOSED) {
    CHECK(receives && !o.oks[0]);
    happened = 0;
  } else if (happened == 0 && receives && o.n == 1 && o.messages[0].mark != 0) {
    o.oks[0] = true;
  }
  CHECK(happened >= 0 || happened == BW_EAGAIN || happened == BW_ETIMEDOUT);
  if (happened == BW_ETIMEDOUT) atomic_fetch_add(&w.timeouts, 1);
  if (o.n > 1 && happened >= 0) atomic_fetch_add(&w.selects, 1);
  account(&o, happened);
  if (o.sends) atomic_fetch_sub(&w.senders, 1);
}

// ---- actors -------------------------------------------------------------------------------------

// In a blocking call it counts as a plain thread.
static void operate_blocking(void *arg) { operate(arg); }

static void operate_locked(actor *a) {
  CHECK_EQ(bw_lock_os_thread(), 0);
  for (int i = 0; i < 4; i++) operate(a);
  bw_unlock_os_thread();
}

static void act(void *arg) {
  actor *a = arg;
  while (!bw__load(&w.stop)) {
    uint32_t what = below(a, 256);
    if (what == 0)
      CHECK(bw_gomaxprocs(1 + (int)below(a, PROCS_MOST)) > 0);
    else if (what == 1 && a->special)
      bw_blocking(operate_blocking, a);
    else if (what == 2 && a->special)
      operate_locked(a);
    else if (what < 8)
      bw_gosched();
    else
      operate(a);
  }
  atomic_fetch_sub(&w.live, 1);
}

// Takes what is in the channels and what waits for them, as long as somebody may send.
static void drain(void) {
  message m;
  for (int i = 0; i < CHANS; i++)
    while (bw_chan_try_recv(w.chans[i], &m) == 0) message_received(m);
}

static void let_go(void) {
  bw__store(&w.stop, true);
  while (atomic_load(&w.senders) > 0) {
    drain();
    bw_gosched();
  }
  for (int i = 0; i < CHANS; i++) bw_chan_close(w.chans[i]);
  while (atomic_load(&w.live) > 0) bw_gosched();
  drain();
}

static void take_part(actor *a, int64_t until) {
  while (bw_now() < until) {
    message m = message_make(a);
    int code = bw_chan_try_send(w.chans[below(a, CHANS)], &m);
    if (code == 0)
      atomic_fetch_add(&w.sent, 1);
    else
      message_end(m);
    if (bw_chan_try_recv(w.chans[below(a, CHANS)], &m) == 0) message_received(m);
    bw_gosched();
  }
}

static void one_round(actor *a, int threads) {
  static actor actors[ACTORS + THREADS];
  static chan_thread helpers[THREADS];
  bool takes_part = below(a, 2);
  bw__store(&w.stop, false);
  atomic_store(&w.live, ACTORS + threads);
  for (int i = 0; i < CHANS; i++)
    w.chans[i] = bw_chan_make(sizeof(message), below(a, 2) ? 0 : (ptrdiff_t)below(a, 4));
  for (int i = 0; i < ACTORS + threads; i++) {
    actors[i].rng.state = bw__rand_next(&a->rng);
    actors[i].special = i < 2 && bw__port_capabilities.threads;
    if (i < ACTORS)
      CHECK_EQ(bw_go(act, &actors[i]), 0);
    else
      chan_thread_start(&helpers[i - ACTORS], act, &actors[i]);
  }
  int64_t until = bw_now() + (int64_t)below(a, 60) * BW_MILLISECOND;
  if (takes_part)
    take_part(a, until);
  else
    bw_sleep(until - bw_now());
  let_go();
  for (int i = 0; i < threads; i++) chan_thread_join(&helpers[i]);
  while (bw_num_goroutine() > 1) bw_gosched();
  CHECK_EQ(atomic_load(&w.senders), 0);
  CHECK_EQ(atomic_load(&w.sent), atomic_load(&w.received));
  for (int i = 0; i < SLOTS; i++) CHECK_EQ(bw__load(&w.slots[i]), 0);
  for (int i = 0; i < CHANS; i++) {
    CHECK_EQ(bw_chan_len(w.chans[i]), 0);
    bw_chan_release(w.chans[i]);
  }
}

typedef struct {
  actor a;
  int threads;
} setting;

static int rounds(void *arg) {
  setting *s = arg;
  for (uint32_t n = 1 + below(&s->a, 8); n > 0; n--) one_round(&s->a, s->threads);
  return 0;
}

static void stress(int threads) {
  setting s = {.a.rng.state = chan_seed(), .threads = threads};
  const char *procs = bw__port_env("BURROW_PROCS");
  int64_t end = bw_now() + test_stress_ns(2);
  int runs = 0;
  for (; runs == 0 || bw_now() < end; runs++)
    test_run(rounds, &s, procs ? atoi(procs) : 1 + (int)below(&s.a, PROCS_MOST));
  printf("%lld messages, %lld selects, %lld deadlines that passed, %d runs\n",
         atomic_load(&w.received), atomic_load(&w.selects), atomic_load(&w.timeouts), runs);
  CHECK(atomic_load(&w.received) > 0 && atomic_load(&w.selects) > 0);
}
TEST(select_stress_mix) { stress(0); }
THREADS_TEST(select_stress_mix_with_threads) { stress(THREADS); }
