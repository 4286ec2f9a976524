// The semaphore table: queues by address against a model, grants, ends of waits, what a run leaves.
#include "sync_util.h"

#include "base/rand.h"

#define ACQUIRE_UNTIL(s, deadline, source)                                                         \
  bw__sema_acquire_until((s), BW_SEMA_FIFO, BW_REASON_SEMA, (s), (deadline), (source))

// ---- against a model ----------------------------------------------------------------------------

// Addresses of which many share a root (251 roots of 8 bytes each).
enum { PLACES = 12, SAME_ROOT = 251 * 2, TICKETS = 64, STEPS = 20000 };

static struct {
  _Atomic(uint32_t) words[PLACES / 2 * SAME_ROOT + 2];
  bw__sema_waiter tickets[TICKETS];
  bool waits[TICKETS];
  int place[TICKETS];
  int queue[PLACES][TICKETS], length[PLACES]; // of tickets, the first first
  int permits[PLACES];
  int completed[TICKETS], completions;
} m;

static _Atomic(uint32_t) *word(int place) {
  return &m.words[place / 2 * SAME_ROOT + place % 2]; // every two so near that they share 8 bytes
}

static void complete(bw__waiter *w) {
  bw__sema_waiter *t = BW_CONTAINER(w, bw__sema_waiter, waiter);
  m.completed[m.completions++] = (int)(t - m.tickets);
}

static void model_insert(int place, int at, int ticket) {
  int *q = m.queue[place];
  memmove(&q[at + 1], &q[at], sizeof *q * (size_t)(m.length[place]++ - at));
  q[at] = ticket;
  m.waits[ticket] = true;
  m.place[ticket] = place;
}

static void model_remove(int place, int at) {
  int *q = m.queue[place];
  m.waits[q[at]] = false;
  memmove(&q[at], &q[at + 1], sizeof *q * (size_t)(--m.length[place] - at));
}

static void acquire_one(bw__rand *rng, int place) {
  int t = (int)bw__rand_below(rng, TICKETS);
  if (m.waits[t]) return;
  bool lifo = bw__rand_below(rng, 4) == 0;
  bw__sema_ticket_init(&m.tickets[t], word(place), complete);
  int code = bw__sema_acquire_ticket(&m.tickets[t], lifo ? BW_SEMA_LIFO : BW_SEMA_FIFO);
  CHECK_EQ(code, m.permits[place] > 0 ? 0 : BW_EAGAIN);
  if (code == 0)
    m.permits[place]--;
  else
    model_insert(place, lifo ? 0 : m.length[place], t);
}

static void cancel_one(bw__rand *rng) {
  int t = (int)bw__rand_below(rng, TICKETS);
  if (!m.waits[t]) return;
  int place = m.place[t], at = 0;
  while (m.queue[place][at] != t) at++;
  CHECK(bw__sema_cancel_ticket(&m.tickets[t]));
  CHECK(!bw__sema_cancel_ticket(&m.tickets[t]));
  if (m.permits[place] == 0) // nor will it wait any more
    CHECK_EQ(bw__sema_acquire_ticket(&m.tickets[t], BW_SEMA_FIFO), BW_ECANCELED);
  model_remove(place, at);
}

static void release_some(int place, uint32_t n, bool one) {
  m.completions = 0;
  if (one)
    bw__sema_release(word(place), false);
  else
    bw__sema_release_n(word(place), n);
  int granted = m.length[place] < (int)n ? m.length[place] : (int)n;
  CHECK_EQ(m.completions, granted);
  for (int i = 0; i < granted; i++) {
    CHECK_EQ(m.completed[i], m.queue[place][0]);
    model_remove(place, 0);
  }
  m.permits[place] += (int)n - granted;
}

TEST(sync_sema_model) {
  bw__rand rng = {chan_seed()};
  for (int step = 0; step < STEPS; step++) {
    int place = (int)bw__rand_below(&rng, PLACES);
    switch (bw__rand_below(&rng, 8)) {
    case 0: release_some(place, 1, true); break;
    case 1: release_some(place, bw__rand_below(&rng, 4), false); break;
    case 2: cancel_one(&rng); break;
    default: acquire_one(&rng, place); break;
    }
    if (step % 16 == 0) CHECK(bw__sema_valid());
  }
  int left = 0;
  for (int p = 0; p < PLACES; p++) {
    CHECK_EQ(*word(p), m.permits[p]);
    left += m.length[p];
  }
  CHECK_EQ(bw__sema_waiting(), left);
  for (int t = 0; t < TICKETS; t++) CHECK_EQ(bw__sema_cancel_ticket(&m.tickets[t]), m.waits[t]);
  sync_check_empty();
}

// ---- hammers ------------------------------------------------------------------------------------

enum { HAMMERS = 10, BLOWS = 1000 };

typedef struct {
  bw_sema sema;
  bool internal; // the table's own functions, with a handoff
  section inside;
  group g;
} hammered;

static void hammer(void *arg) {
  hammered *h = arg;
  for (int i = 0; i < BLOWS; i++) {
    if (h->internal)
      bw__sema_acquire(bw__sema_word(&h->sema.permits), i % 2 ? BW_SEMA_LIFO : BW_SEMA_FIFO,
                       BW_REASON_SEMA, h);
    else
      bw_sema_acquire(&h->sema);
    section_write(&h->inside);
    if (i % 32 == 0) bw_gosched();
    if (h->internal)
      bw__sema_release(bw__sema_word(&h->sema.permits), i % 3 == 0);
    else
      bw_sema_release(&h->sema, 1);
  }
  group_done(&h->g);
}

static int hammer_body(void *internal) {
  hammered h = {.sema = BW_SEMA(1), .internal = internal != NULL};
  group_init(&h.g, HAMMERS);
  for (int i = 0; i < HAMMERS; i++) CHECK_EQ(bw_go(hammer, &h), 0);
  group_wait(&h.g);
  CHECK_EQ(h.inside.plain, HAMMERS * BLOWS);
  CHECK(bw_sema_try_acquire(&h.sema));
  CHECK(!bw_sema_try_acquire(&h.sema));
  sync_check_empty();
  return 0;
}
TEST(sync_b105_semaphore_hammer) { test_run(hammer_body, NULL, 1); }
TEST(sync_b105_semaphore_hammer_with_handoffs) { test_run(hammer_body, "", 1); }
THREADS_TEST(sync_b105_semaphore_hammer_on_four_procs) { test_run(hammer_body, NULL, 4); }
THREADS_TEST(sync_b105_semaphore_hammer_with_handoffs_on_four_procs) {
  test_run(hammer_body, "", 4);
}

// ---- handoff ------------------------------------------------------------------------------------

typedef struct {
  _Atomic(uint32_t) word;
  atomic_bool got;
} handed;

static void take_it(void *arg) {
  handed *h = arg;
  bw__sema_acquire(&h->word, BW_SEMA_FIFO, BW_REASON_SEMA, h);
  atomic_store(&h->got, true);
}

static int handoff(void *arg) {
  (void)arg;
  for (int with = 0; with < 2; with++) {
    handed h = {0};
    CHECK_EQ(bw_go(take_it, &h), 0);
    sync_until_waiting(1);
    bw__sema_release(&h.word, with);
    CHECK_EQ(atomic_load(&h.got), with);
    CHECK_EQ(h.word, 0); // it is granted in any case
    while (!atomic_load(&h.got)) bw_gosched();
  }
  return 0;
}
TEST(sync_sema_handoff_runs_the_waiter_at_once) { test_run(handoff, NULL, 1); }

// ---- ends of waits ------------------------------------------------------------------------------

static void fire_it(void *source) { bw__cancel_fire(source); }
static void give_one(void *word_of) { bw__sema_release(word_of, false); }

static int ends(void *arg) {
  (void)arg;
  _Atomic(uint32_t) w = 1;
  bw__cancel_source gone, alive, later;
  bw__cancel_init(&gone);
  bw__cancel_init(&alive);
  bw__cancel_init(&later);
  bw__cancel_fire(&gone);
  CHECK_EQ(ACQUIRE_UNTIL(&w, bw_now() - 1, &gone), 0); // there is a permit
  CHECK_EQ(ACQUIRE_UNTIL(&w, bw_now() - 1, NULL), BW_ETIMEDOUT);
  CHECK_EQ(ACQUIRE_UNTIL(&w, BW_SEMA_NO_DEADLINE, &gone), BW_ECANCELED);
  int64_t deadline = SOON(10 * BW_MILLISECOND);
  CHECK_EQ(ACQUIRE_UNTIL(&w, deadline, &alive), BW_ETIMEDOUT);
  CHECK(bw_now() >= deadline);
  sync_check_empty();
  CHECK(bw__list_empty(&alive.watches));
  CHECK_EQ(w, 0);
  return 0;
}
TEST(sync_sema_ends_of_waits) { test_run(ends, NULL, 1); }
THREADS_TEST(sync_sema_ends_of_waits_on_a_thread) { ends(NULL); }

// The source may go only when nobody fires it any more.
static void until_alone(void) {
  while (bw_num_goroutine() > 1) bw_gosched();
}

static int ended_by_others(void *arg) {
  (void)arg;
  _Atomic(uint32_t) w = 0;
  for (int timed = 0; timed < 2; timed++) {
    bw__cancel_source s;
    bw__cancel_init(&s);
    CHECK_EQ(bw_go(fire_it, &s), 0);
    CHECK_EQ(ACQUIRE_UNTIL(&w, timed ? FAR : BW_SEMA_NO_DEADLINE, &s), BW_ECANCELED);
    until_alone();
    bw__cancel_init(&s);
    CHECK_EQ(bw_go(give_one, &w), 0);
    CHECK_EQ(ACQUIRE_UNTIL(&w, timed ? FAR : BW_SEMA_NO_DEADLINE, &s), 0);
    CHECK(bw__list_empty(&s.watches));
  }
  CHECK_EQ(bw_go(give_one, &w), 0);
  CHECK_EQ(ACQUIRE_UNTIL(&w, FAR, NULL), 0);
  until_alone();
  CHECK_EQ(w, 0);
  sync_check_empty();
  return 0;
}
TEST(sync_sema_ended_by_others) { test_run(ended_by_others, NULL, 1); }
THREADS_TEST(sync_sema_ended_by_others_on_four_procs) { test_run(ended_by_others, NULL, 4); }

// ---- the end of a run ---------------------------------------------------------------------------

static bw__cancel_source outlives;
static _Atomic(uint32_t) nobody_gives;
static atomic_int returned;

static void wait_with_a_source(void *timed) {
  ACQUIRE_UNTIL(&nobody_gives, timed ? FAR : BW_SEMA_NO_DEADLINE, &outlives);
  atomic_fetch_add(&returned, 1);
}

// Some wait, one has been granted but does not run any more.
static int leave_waiters(void *arg) {
  (void)arg;
  for (int i = 0; i < 5; i++) CHECK_EQ(bw_go(wait_with_a_source, i % 2 ? "" : NULL), 0);
  sync_until_waiting(5);
  bw__sema_release(&nobody_gives, false);
  return 0;
}
TEST(sync_sema_waiters_end_with_the_run) {
  bw__cancel_init(&outlives);
  test_run(leave_waiters, NULL, 1);
  sync_check_empty();
  CHECK(bw__list_empty(&outlives.watches));
  CHECK_EQ(atomic_load(&returned), 0);
  CHECK_EQ(nobody_gives, 0);
}

// ---- counting semaphores ------------------------------------------------------------------------

static int counts(void *arg) {
  (void)arg;
  bw_sema s = BW_SEMA(2), none = {0};
  CHECK(!bw_sema_try_acquire(&none));
  bw_sema_acquire(&s);
  CHECK_EQ(bw_sema_acquire_until(&s, -1), 0); // at once
  CHECK(!bw_sema_try_acquire(&s));
  CHECK_EQ(bw_sema_acquire_until(&s, -1), BW_ETIMEDOUT);
  CHECK_EQ(bw_sema_acquire_until(&s, SOON(BW_MILLISECOND)), BW_ETIMEDOUT);
  bw_sema_release(&s, 0);
  CHECK(!bw_sema_try_acquire(&s));
  bw_sema_release(&s, 3);
  for (int i = 0; i < 3; i++) CHECK(bw_sema_try_acquire(&s));
  CHECK(!bw_sema_try_acquire(&s));
  return 0;
}
TEST(sync_semaphore_counts) { test_run(counts, NULL, 1); }

typedef struct {
  bw_sema *s;
  atomic_int got;
} eater;

static void eat(void *arg) {
  eater *e = arg;
  bw_sema_acquire(e->s);
  atomic_fetch_add(&e->got, 1);
}

static int many_at_once(void *arg) {
  (void)arg;
  bw_sema s = {0};
  eater e = {.s = &s};
  for (int i = 0; i < 50; i++) CHECK_EQ(bw_go(eat, &e), 0);
  sync_until_waiting(50);
  bw_sema_release(&s, 49);
  sync_until_waiting(1);
  while (atomic_load(&e.got) != 49) bw_gosched();
  bw_sema_release(&s, 2);
  while (atomic_load(&e.got) != 50) bw_gosched();
  CHECK(bw_sema_try_acquire(&s));
  CHECK(!bw_sema_try_acquire(&s));
  sync_check_empty();
  return 0;
}
TEST(sync_semaphore_gives_to_many) { test_run(many_at_once, NULL, 1); }
THREADS_TEST(sync_semaphore_gives_to_many_on_four_procs) { test_run(many_at_once, NULL, 4); }

static int nobody_releases(void *arg) {
  (void)arg;
  static bw_sema s;
  bw_sema_acquire(&s);
  return 0;
}
DEATH_TEST(sync_semaphore_deadlock, 2, "goroutine 1 [semacquire]:") {
  test_run(nobody_releases, NULL, 1);
}
DEATH_TEST(sync_semaphore_dump_has_the_address, 2, "waits for semaphore 0x") {
  test_run(nobody_releases, NULL, 1);
}
