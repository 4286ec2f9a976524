// Read-write mutexes: Go's behaviours 98 and 101 to 104, giving up, what dumps say.
#include "sync_util.h"

#include "sync/mutex.h"

static bool is_free(const bw_rwmutex *rw) {
  return rw->word == 0 && rw->writers.state == 0 && rw->reader_sema == 0 && rw->writer_sema == 0;
}

// ---- readers together ---------------------------------------------------------------------------

typedef struct {
  bw_rwmutex rw;
  atomic_int inside;
  int readers;
  group g;
} parallel;

// Nobody leaves before all are in.
static void read_together(void *arg) {
  parallel *p = arg;
  bw_rwmutex_rlock(&p->rw);
  atomic_fetch_add(&p->inside, 1);
  while (atomic_load(&p->inside) < p->readers) bw_gosched();
  bw_rwmutex_runlock(&p->rw);
  group_done(&p->g);
}

static int parallel_readers(void *readers) {
  parallel p = {.readers = *(int *)readers};
  group_init(&p.g, p.readers);
  for (int i = 0; i < p.readers; i++) CHECK_EQ(bw_go(read_together, &p), 0);
  group_wait(&p.g);
  CHECK(is_free(&p.rw));
  return 0;
}
TEST(rwmutex_b101_readers_together) {
  for (int n = 1; n <= 4; n++) test_run(parallel_readers, &n, 1);
}
THREADS_TEST(rwmutex_b101_readers_together_on_some_procs) {
  test_run(parallel_readers, &(int){1}, 4);
  test_run(parallel_readers, &(int){3}, 4);
  test_run(parallel_readers, &(int){4}, 2);
}

// ---- writers alone ------------------------------------------------------------------------------

typedef struct {
  bw_rwmutex rw;
  section inside;
  group g;
} hammered;

enum { BLOWS = 300, WRITERS = 2 };

static void hammer_reading(void *arg) {
  hammered *h = arg;
  for (int i = 0; i < BLOWS; i++) {
    bw_rwmutex_rlock(&h->rw);
    section_read(&h->inside);
    if (i % 16 == 0) bw_gosched();
    bw_rwmutex_runlock(&h->rw);
  }
  group_done(&h->g);
}

static void hammer_writing(void *arg) {
  hammered *h = arg;
  for (int i = 0; i < BLOWS; i++) {
    bw_rwmutex_lock(&h->rw);
    section_write(&h->inside);
    if (i % 16 == 0) bw_gosched();
    bw_rwmutex_unlock(&h->rw);
  }
  group_done(&h->g);
}

static int writers_exclude(void *readers) {
  int n = *(int *)readers;
  hammered h = {0};
  group_init(&h.g, n + WRITERS);
  for (int i = 0; i < n + WRITERS; i++) // a writer first, and one among the readers
    CHECK_EQ(bw_go(i == 0 || i == n / 2 + 1 ? hammer_writing : hammer_reading, &h), 0);
  group_wait(&h.g);
  CHECK_EQ(h.inside.plain, BLOWS * WRITERS);
  CHECK(is_free(&h.rw));
  sync_check_empty();
  return 0;
}
TEST(rwmutex_b102_writers_exclude) {
  for (int n = 1; n <= 10; n += 3) test_run(writers_exclude, &n, 1);
}
THREADS_TEST(rwmutex_b102_writers_exclude_on_four_procs) {
  for (int n = 1; n <= 10; n += 3) test_run(writers_exclude, &n, 4);
}
THREADS_TEST(rwmutex_b102_writers_exclude_on_ten_procs) {
  for (int n = 1; n <= 10; n += 9) test_run(writers_exclude, &n, 10);
}

static int threads_and_goroutines(void *arg) {
  (void)arg;
  hammered h = {0};
  chan_thread reader, writer;
  group_init(&h.g, 6);
  chan_thread_start(&reader, hammer_reading, &h);
  chan_thread_start(&writer, hammer_writing, &h);
  for (int i = 0; i < 4; i++) CHECK_EQ(bw_go(i == 2 ? hammer_writing : hammer_reading, &h), 0);
  chan_thread_join(&reader);
  chan_thread_join(&writer);
  group_wait(&h.g);
  CHECK(is_free(&h.rw));
  sync_check_empty();
  return 0;
}
THREADS_TEST(rwmutex_between_goroutines_and_threads) { test_run(threads_and_goroutines, NULL, 2); }

// ---- without waiting ----------------------------------------------------------------------------

static void tries(void) {
  bw_rwmutex rw = {0};
  int64_t past = bw_now() - 1;
  bw_rwmutex_lock(&rw);
  CHECK(!bw_rwmutex_try_lock(&rw));
  CHECK(!bw_rwmutex_try_rlock(&rw));
  CHECK_EQ(bw_rwmutex_lock_until(&rw, past), BW_ETIMEDOUT);
  CHECK_EQ(bw_rwmutex_rlock_until(&rw, past), BW_ETIMEDOUT);
  bw_rwmutex_unlock(&rw);
  CHECK(bw_rwmutex_try_lock(&rw));
  bw_rwmutex_unlock(&rw);
  CHECK(bw_rwmutex_try_rlock(&rw));
  CHECK(bw_rwmutex_try_rlock(&rw));
  CHECK(!bw_rwmutex_try_lock(&rw));
  CHECK_EQ(bw_rwmutex_lock_until(&rw, past), BW_ETIMEDOUT);
  CHECK_EQ(bw_rwmutex_rlock_until(&rw, past), 0); // the writer has gone, and at once it may
  for (int i = 0; i < 3; i++) bw_rwmutex_runlock(&rw);
  CHECK_EQ(bw_rwmutex_lock_until(&rw, past), 0);
  bw_rwmutex_unlock(&rw);
  CHECK(is_free(&rw));
  sync_check_empty();
}
static int tries_body(void *arg) {
  (void)arg;
  tries();
  return 0;
}
TEST(rwmutex_b103_tries) { test_run(tries_body, NULL, 1); }
TEST(rwmutex_b103_tries_without_a_runtime) { tries(); }

// ---- a writer who is alone ----------------------------------------------------------------------

// The first writer does without the mutex of the writers, until another one comes; who starves
// there keeps newcomers out.
static int alone(void *arg) {
  (void)arg;
  hammered h = {0};
  group_init(&h.g, 2);
  bw_rwmutex_lock(&h.rw);
  CHECK_EQ(h.rw.writers.state, 0);
  for (int i = 0; i < 2; i++) CHECK_EQ(bw_go(hammer_writing, &h), 0);
  while (h.rw.writers.state < 2 * 8) bw_gosched(); // both wait there
  CHECK_EQ(h.rw.writers.state & 1, 1);             // for us
  CHECK(!bw_rwmutex_try_lock(&h.rw));
  bw_rwmutex_unlock(&h.rw);
  group_wait(&h.g);
  CHECK_EQ(h.inside.plain, 2 * BLOWS);
  CHECK(is_free(&h.rw));

  h.rw.writers.state = BW__MUTEX_LOCKED; // as if a writer had left and were about to unlock it
  CHECK(!bw_rwmutex_try_lock(&h.rw));
  CHECK_EQ(h.rw.word, 0);
  CHECK_EQ(bw_rwmutex_lock_until(&h.rw, bw_now()), BW_ETIMEDOUT);
  CHECK_EQ(h.rw.word, 0);
  h.rw.writers.state = BW__MUTEX_STARVING + 8; // as if it were about to be handed to somebody
  CHECK(!bw_rwmutex_try_lock(&h.rw));
  CHECK_EQ(h.rw.word, 0);
  CHECK_EQ(bw_rwmutex_lock_until(&h.rw, SOON(1000000)), BW_ETIMEDOUT);
  CHECK_EQ(h.rw.word, 0);
  CHECK_EQ(h.rw.writers.state, BW__MUTEX_STARVING + 8);
  sync_check_empty();
  return 0;
}
TEST(rwmutex_b102_writer_alone) { test_run(alone, NULL, 1); }

// ---- a writer that waits ------------------------------------------------------------------------

typedef struct {
  bw_rwmutex rw;
  char events[16]; // in the order in which they happened
  int n;
  group g;
} watched;

static void note(watched *w, char c) { w->events[w->n++] = c; }

static void write_once(void *arg) {
  watched *w = arg;
  bw_rwmutex_lock(&w->rw);
  note(w, 'W');
  bw_gosched();
  bw_rwmutex_unlock(&w->rw);
  group_done(&w->g);
}

static void read_once(void *arg) {
  watched *w = arg;
  bw_locker l = bw_rwmutex_rlocker(&w->rw);
  bw_locker_lock(l);
  note(w, 'r');
  bw_gosched();
  bw_locker_unlock(l);
  group_done(&w->g);
}

// A reader is inside; then come a writer, two readers, another writer: the readers wait for the
// first writer and get in before the second.
static int writer_first(void *arg) {
  (void)arg;
  watched w = {0};
  void (*const fns[])(void *) = {write_once, read_once, read_once, write_once};
  group_init(&w.g, 4);
  bw_rwmutex_rlock(&w.rw);
  for (uint32_t i = 0; i < 4; i++) {
    CHECK_EQ(bw_go(fns[i], &w), 0);
    sync_until_waiting(i + 1);
  }
  CHECK(!bw_rwmutex_try_rlock(&w.rw));
  note(&w, 'l');
  bw_rwmutex_runlock(&w.rw);
  group_wait(&w.g);
  CHECK_STR(w.events, "lWrrW");
  CHECK(is_free(&w.rw));
  sync_check_empty();
  return 0;
}
TEST(rwmutex_b104_a_waiting_writer_blocks_readers) { test_run(writer_first, NULL, 1); }

static int lockers(void *arg) {
  (void)arg;
  bw_rwmutex rw = {0};
  bw_locker w = bw_rwmutex_locker(&rw), r = bw_rwmutex_rlocker(&rw);
  bw_locker_lock(w);
  CHECK(!bw_rwmutex_try_rlock(&rw));
  bw_locker_unlock(w);
  bw_locker_lock(r);
  CHECK(!bw_rwmutex_try_lock(&rw));
  bw_locker_lock(r);
  bw_locker_unlock(r);
  bw_locker_unlock(r);
  CHECK(is_free(&rw));
  return 0;
}
TEST(rwmutex_b104_lockers) { test_run(lockers, NULL, 1); }

// ---- giving up ----------------------------------------------------------------------------------

// The writer gives up: the readers that it kept out get in while the first is still inside.
static void read_and_leave(void *arg) {
  watched *w = arg;
  bw_rwmutex_rlock(&w->rw);
  note(w, 'r');
  bw_rwmutex_runlock(&w->rw);
  group_done(&w->g);
}

static void give_up_writing(void *arg) {
  watched *w = arg;
  CHECK_EQ(bw_rwmutex_lock_until(&w->rw, SOON(20 * BW_MILLISECOND)), BW_ETIMEDOUT);
  note(w, 'x');
  group_done(&w->g);
}

static int writer_gives_up(void *arg) {
  (void)arg;
  watched w = {0};
  group_init(&w.g, 3);
  bw_rwmutex_rlock(&w.rw);
  CHECK_EQ(bw_go(give_up_writing, &w), 0);
  sync_until_waiting(1);
  for (int i = 0; i < 2; i++) CHECK_EQ(bw_go(read_and_leave, &w), 0);
  group_wait(&w.g);
  CHECK_EQ(strlen(w.events), 3);
  bw_rwmutex_runlock(&w.rw);
  CHECK(is_free(&w.rw));
  sync_check_empty();
  return 0;
}
TEST(rwmutex_writer_gives_up) { test_run(writer_gives_up, NULL, 1); }

static int reader_gives_up(void *arg) {
  (void)arg;
  bw_rwmutex rw = {0};
  bw_rwmutex_lock(&rw);
  int64_t deadline = SOON(10 * BW_MILLISECOND);
  CHECK_EQ(bw_rwmutex_rlock_until(&rw, deadline), BW_ETIMEDOUT);
  CHECK(bw_now() >= deadline);
  CHECK_EQ(bw_rwmutex_lock_until(&rw, SOON(BW_MILLISECOND)), BW_ETIMEDOUT);
  bw_rwmutex_unlock(&rw);
  CHECK(is_free(&rw));
  sync_check_empty();
  return 0;
}
TEST(rwmutex_reader_gives_up) { test_run(reader_gives_up, NULL, 1); }
THREADS_TEST(rwmutex_reader_gives_up_on_a_thread) { reader_gives_up(NULL); }

// ---- misuse -------------------------------------------------------------------------------------

#define UNLOCK  "fatal error: sync: Unlock of unlocked RWMutex"
#define RUNLOCK "fatal error: sync: RUnlock of unlocked RWMutex"

// Each step is a call: L, U, R (rlock), u (runlock).
static int steps(void *text) {
  bw_rwmutex rw = {0};
  for (const char *s = text; *s; s++) {
    if (*s == 'L') bw_rwmutex_lock(&rw);
    if (*s == 'U') bw_rwmutex_unlock(&rw);
    if (*s == 'R') bw_rwmutex_rlock(&rw);
    if (*s == 'u') bw_rwmutex_runlock(&rw);
  }
  return 0;
}
DEATH_TEST(rwmutex_b98_unlock_of_free, 2, UNLOCK) { test_run(steps, "U", 1); }
DEATH_TEST(rwmutex_b98_unlock_of_read_locked, 2, UNLOCK) { test_run(steps, "RU", 1); }
DEATH_TEST(rwmutex_b98_unlock_twice, 2, UNLOCK) { test_run(steps, "LUU", 1); }
DEATH_TEST(rwmutex_b98_runlock_of_free, 2, RUNLOCK) { test_run(steps, "u", 1); }
DEATH_TEST(rwmutex_b98_runlock_of_write_locked, 2, RUNLOCK) { test_run(steps, "Lu", 1); }
DEATH_TEST(rwmutex_b98_runlock_twice, 2, RUNLOCK) { test_run(steps, "Ruu", 1); }

// ---- what dumps say -----------------------------------------------------------------------------

DEATH_TEST(rwmutex_dump_of_a_reader, 2, "goroutine 1 [sync.RWMutex.RLock]:") {
  test_run(steps, "LR", 1);
}
DEATH_TEST(rwmutex_dump_of_a_writer, 2, "goroutine 1 [sync.RWMutex.Lock]:") {
  test_run(steps, "RL", 1);
}
DEATH_TEST(rwmutex_dump_of_a_second_writer, 2, "goroutine 1 [sync.RWMutex.Lock]:") {
  test_run(steps, "LL", 1);
}
DEATH_TEST(rwmutex_dump_has_the_address, 2, "waits for rwmutex 0x") { test_run(steps, "LL", 1); }
