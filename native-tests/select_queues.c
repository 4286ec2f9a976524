// Selects and plain operations in the queues of the same channels: who is served, and what those
// that were not chosen leave behind.
#include "chan_util.h"

#include "base/rand.h"

// behaviour 39: a select that another case has won is off the queue, wherever it stood there, and
// those around it are served in their order. behaviour 40: also when it stood there several times.
typedef struct {
  bw_chan *c, *mine; // mine: of a select; NULL: a plain operation
  int places;        // how often the select stands in c's queue
  bool sends;
  int value, index;
  atomic_bool done;
} queued;

static void enter_queue(void *arg) {
  queued *q = arg;
  bw_case cases[8];
  int n = q->mine ? q->places + 1 : 1;
  for (int i = 0; i < n; i++)
    cases[i] = q->sends ? bw_on_send(q->c, &q->value) : bw_on_recv(q->c, &q->value);
  if (q->mine) cases[n / 2] = bw_on_recv(q->mine, NULL);
  q->index = bw_select(cases, (size_t)n);
  atomic_store(&q->done, true);
}

enum { IN_QUEUE = 7 };

// `leavers`: bit i: the i-th is a select, and leaves.
static void one_queue(int leavers, int places, bool sends) {
  bw_chan *c = bw_chan_make(sizeof(int), 0);
  queued q[IN_QUEUE];
  for (int i = 0; i < IN_QUEUE; i++) {
    bool leaves = leavers >> i & 1;
    q[i] = (queued){c, leaves ? bw_chan_make(0, 0) : NULL, places, sends, i, -1, false};
    CHECK_EQ(bw_go(enter_queue, &q[i]), 0);
    settle();
    BLOCKS(q[i]);
  }
  for (int i = 0; i < IN_QUEUE; i++) { // from both ends inwards
    int at = i % 2 ? IN_QUEUE - 1 - i / 2 : i / 2;
    if (!q[at].mine) continue;
    CHECK_EQ(bw_chan_try_send(q[at].mine, NULL), 0);
    settle();
    DOES_NOT_BLOCK(q[at]);
    CHECK_EQ(q[at].index, (places + 1) / 2);
    CHECK_EQ(q[at].value, at);
  }
  for (int i = 0; i < IN_QUEUE; i++) {
    if (q[i].mine) continue;
    int v = 100 + i;
    CHECK_EQ(sends ? bw_chan_try_recv(c, &v) : bw_chan_try_send(c, &v), 0);
    if (sends) CHECK_EQ(v, i);
    settle();
    DOES_NOT_BLOCK(q[i]);
    CHECK_EQ(q[i].value, sends ? i : 100 + i);
  }
  CHECK_EQ(bw_chan_try_send(c, &(int){0}), BW_EAGAIN);
  CHECK_EQ(bw_chan_try_recv(c, &(int){0}), BW_EAGAIN);
  for (int i = 0; i < IN_QUEUE; i++) bw_chan_release(q[i].mine);
  bw_chan_release(c);
}

static int losers_leave(void *arg) {
  int places = *(int *)arg;
  for (int leavers = 0; leavers < 1 << IN_QUEUE; leavers++)
    for (int sends = 0; sends < 2; sends++) one_queue(leavers, places, sends);
  return 0;
}
TEST(select_b39_losers_leave_their_queues) { test_run(losers_leave, &(int){1}, 1); }
TEST(select_b40_duplicates_leave_their_queues) { test_run(losers_leave, &(int){3}, 1); }

// behaviour 40: a select that stands in the queue several times is served once
static int served_once(void *arg) {
  (void)arg;
  for (int sends = 0; sends < 2; sends++) {
    bw_chan *c = bw_chan_make(sizeof(int), 0);
    queued first = {c, bw_chan_make(0, 0), 4, sends, 1, -1, false};
    queued second = {c, NULL, 0, sends, 2, -1, false};
    CHECK_EQ(bw_go(enter_queue, &first), 0);
    settle();
    CHECK_EQ(bw_go(enter_queue, &second), 0);
    settle();
    for (int i = 1; i <= 2; i++) {
      int v = 10 + i;
      CHECK_EQ(sends ? bw_chan_try_recv(c, &v) : bw_chan_try_send(c, &v), 0);
      CHECK_EQ(v, sends ? i : 10 + i);
      // Before the first one has run: its other places are passed over.
      if (i == 1) BLOCKS(first);
    }
    CHECK_EQ(sends ? bw_chan_try_recv(c, NULL) : bw_chan_try_send(c, &(int){9}), BW_EAGAIN);
    settle();
    DOES_NOT_BLOCK(first);
    DOES_NOT_BLOCK(second);
    CHECK(first.index != 2);
    CHECK_EQ(first.value, sends ? 1 : 11);
    CHECK_EQ(second.value, sends ? 2 : 12);
    bw_chan_release(first.mine);
    bw_chan_release(c);
  }
  return 0;
}
TEST(select_b40_duplicates_are_served_once) { test_run(served_once, NULL, 1); }

// ---- against a model ----------------------------------------------------------------------------

// Goroutines select, at random, on a few channels; main tries operations and closes channels. A
// model of the queues says which goroutine each of main's operations serves, and by which case. One
// P: after settle() both are at rest.
enum { CHANS = 4, SELECTORS = 6, CASES_MOST = 6 };

typedef struct {
  int number;
  size_t n;
  bw_case cases[CASES_MOST];
  int chan[CASES_MOST]; // index, or -1 for nil
  int values[CASES_MOST];
  bool oks[CASES_MOST];
  int index;
  uint64_t arrived; // a number of the model's
  bool waits;
  atomic_bool done;
} selector;

static struct {
  bw__rand rng;
  bw_chan *chans[CHANS];
  int held[CHANS][8], held_count[CHANS], caps[CHANS]; // the buffers
  bool closed[CHANS];
  selector selectors[SELECTORS];
  uint64_t arrivals;
  int next_value;
} m;

static uint32_t below(uint32_t n) { return bw__rand_below(&m.rng, n); }

static void run_selector(void *arg) {
  selector *s = arg;
  s->index = bw_select(s->cases, s->n);
  atomic_store(&s->done, true);
}

// The first who waits for an operation on channel c in this direction, or NULL.
static selector *first_waiter(int c, bw_direction direction) {
  selector *first = NULL;
  for (int i = 0; i < SELECTORS; i++) {
    selector *s = &m.selectors[i];
    if (!s->waits || (first && first->arrived < s->arrived)) continue;
    for (size_t k = 0; k < s->n; k++)
      if (s->chan[k] == c && s->cases[k].direction == direction) first = s;
  }
  return first;
}

static void buffer_put(int c, int v) { m.held[c][m.held_count[c]++] = v; }

static int buffer_take(int c) {
  int v = m.held[c][0];
  memmove(m.held[c], m.held[c] + 1, sizeof m.held[c] - sizeof v);
  m.held_count[c]--;
  return v;
}

// The selector has ended by one of its cases of channel c in this direction; it received `value`
// (ok) or found the channel closed.
static void check_served(selector *s, int c, bw_direction direction, int value, bool ok) {
  CHECK(atomic_load(&s->done));
  CHECK(s->index >= 0 && s->index < (int)s->n);
  CHECK_EQ(s->chan[s->index], c);
  CHECK_EQ(s->cases[s->index].direction, direction);
  for (int k = 0; k < (int)s->n; k++) {
    bool received = k == s->index && direction == BW_RECV;
    CHECK_EQ(s->values[k], received ? value : s->number * 10 + k);
    CHECK_EQ(s->oks[k], received && ok);
  }
  s->waits = false;
}

// Main sends; the model says what comes of it.
static void model_send(int c) {
  int v = ++m.next_value, code = bw_chan_try_send(m.chans[c], &v);
  selector *s = first_waiter(c, BW_RECV);
  settle();
  if (s)
    check_served(s, c, BW_RECV, v, true);
  else if (m.held_count[c] < m.caps[c])
    buffer_put(c, v);
  else {
    CHECK_EQ(code, BW_EAGAIN);
    return;
  }
  CHECK_EQ(code, 0);
}

// A waiting sender's value: what is in the case that happened.
static int value_sent(selector *s, int c) {
  check_served(s, c, BW_SEND, 0, false);
  return s->number * 10 + s->index;
}

static void model_recv(int c) {
  int v = -5, code = bw_chan_try_recv(m.chans[c], &v), want = -5;
  selector *s = first_waiter(c, BW_SEND);
  settle();
  int want_code = 0;
  if (m.held_count[c] > 0) {
    want = buffer_take(c);
    if (s) buffer_put(c, value_sent(s, c));
  } else if (s) {
    want = value_sent(s, c);
  } else {
    want_code = m.closed[c] ? BW_ECLOSED : BW_EAGAIN;
    want = m.closed[c] ? 0 : -5;
  }
  CHECK_EQ(code, want_code);
  CHECK_EQ(v, want);
}

// Only when nobody waits to send: it would panic.
static void model_close(int c) {
  if (m.closed[c] || first_waiter(c, BW_SEND)) return;
  bw_chan_close(m.chans[c]);
  m.closed[c] = true;
  settle();
  for (selector *s; (s = first_waiter(c, BW_RECV));) check_served(s, c, BW_RECV, 0, false);
}

static bool model_ready(const selector *s, size_t k) {
  int c = s->chan[k];
  if (c < 0) return false;
  if (s->cases[k].direction == BW_RECV)
    return m.held_count[c] > 0 || m.closed[c] || first_waiter(c, BW_SEND);
  return m.held_count[c] < m.caps[c] || first_waiter(c, BW_RECV);
}

static void random_case(selector *s, size_t k) {
  int c = (int)below(CHANS + 1) - 1;
  bool receives = below(2) || (c >= 0 && m.closed[c]);
  s->chan[k] = c;
  s->values[k] = s->number * 10 + (int)k;
  s->oks[k] = false;
  bw_chan *chan = c < 0 ? NULL : m.chans[c];
  s->cases[k] =
      receives ? bw_on_recv_ok(chan, &s->values[k], &s->oks[k]) : bw_on_send(chan, &s->values[k]);
}

// What its case that was ready did to the model.
static void model_did(selector *s) {
  int k = s->index, c = s->chan[k];
  if (s->cases[k].direction == BW_SEND) {
    selector *receiver = first_waiter(c, BW_RECV);
    if (receiver)
      check_served(receiver, c, BW_RECV, s->values[k], true);
    else
      buffer_put(c, s->values[k]);
    check_served(s, c, BW_SEND, 0, false);
    return;
  }
  selector *sender = first_waiter(c, BW_SEND);
  int want = 0;
  bool ok = true;
  if (m.held_count[c] > 0) {
    want = buffer_take(c);
    if (sender) buffer_put(c, value_sent(sender, c));
  } else if (sender) {
    want = value_sent(sender, c);
  } else {
    CHECK(m.closed[c]);
    ok = false;
  }
  check_served(s, c, BW_RECV, want, ok);
}

static void model_select(selector *s) {
  *s = (selector){.number = ++m.next_value, .n = 1 + below(CASES_MOST), .index = -1};
  bool some = false, ready = false;
  for (size_t k = 0; k < s->n; k++) {
    random_case(s, k);
    some |= s->chan[k] >= 0;
    ready |= model_ready(s, k);
  }
  if (!some) return;
  CHECK_EQ(bw_go(run_selector, s), 0);
  settle();
  CHECK_EQ(atomic_load(&s->done), ready);
  if (ready) {
    CHECK(s->index >= 0 && model_ready(s, (size_t)s->index));
    model_did(s);
  } else {
    s->arrived = ++m.arrivals;
    s->waits = true;
  }
}

static void model_round(void) {
  for (int c = 0; c < CHANS; c++) {
    m.caps[c] = (int)below(4);
    m.held_count[c] = 0;
    m.closed[c] = false;
    m.chans[c] = bw_chan_make(sizeof(int), m.caps[c]);
  }
  for (int step = 0; step < 100; step++) {
    uint32_t what = below(16);
    int c = (int)below(CHANS);
    selector *s = &m.selectors[below(SELECTORS)];
    if (what == 0 && step > 50)
      model_close(c);
    else if (what < 5 && !m.closed[c])
      model_send(c);
    else if (what < 9)
      model_recv(c);
    else if (!s->waits)
      model_select(s);
    for (int i = 0; i < SELECTORS; i++)
      CHECK(!m.selectors[i].waits || !atomic_load(&m.selectors[i].done));
    for (int i = 0; i < CHANS; i++) CHECK_EQ(bw_chan_len(m.chans[i]), m.held_count[i]);
  }
  for (int c = 0; c < CHANS; c++) {
    while (first_waiter(c, BW_SEND)) model_recv(c);
    model_close(c);
  }
  CHECK_EQ(bw_num_goroutine(), 1);
  for (int c = 0; c < CHANS; c++) bw_chan_release(m.chans[c]);
}

static int model_rounds(void *arg) {
  (void)arg;
  m.rng.state = chan_seed();
  int64_t end = bw_now() + test_stress_ns(1) / 2;
  int rounds = 0;
  for (; rounds < 20 || bw_now() < end; rounds++) model_round();
  printf("%d rounds\n", rounds);
  return 0;
}
TEST(select_queues_model) { test_run(model_rounds, NULL, 1); }
