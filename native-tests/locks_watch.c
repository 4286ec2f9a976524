// The lock watch: names, who holds what, times, and circles in the order of locks.
#include "chan_util.h"

#include "port/port.h"
#include "sync/sema.h"

#include <burrow/locks.h>

static bw_lock_info info_of(const void *lock) {
  bw_lock_info all[16];
  size_t n = bw_locks_read(all, 16);
  CHECK(n <= 16);
  for (size_t i = 0; i < n; i++)
    if (all[i].lock == lock) return all[i];
  return (bw_lock_info){0};
}

static void begin(void) { CHECK(!bw_locks_watch(true)); }

// Forgets these, so that the next test, or none, finds nothing.
static void end(const void *const *locks, int n) {
  CHECK(bw_locks_watch(false));
  for (int i = 0; i < n; i++) bw_lock_forget(locks[i]);
  CHECK_EQ(bw_locks_read(NULL, 0), 0);
}

typedef struct {
  bw_mutex busy, quiet;
  group g;
} contended;

static void take_both(bw_mutex *first, bw_mutex *second) {
  bw_mutex_lock(first);
  bw_mutex_lock(second);
  bw_mutex_unlock(second);
  bw_mutex_unlock(first);
}

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

// ---- records ------------------------------------------------------------------------------------

TEST(locks_are_unknown_until_watched) {
  bw_mutex mu = {0};
  bw_mutex_lock(&mu);
  bw_mutex_unlock(&mu);
  CHECK_EQ(bw_locks_read(NULL, 0), 0);
  CHECK_EQ(bw_lock_name(&mu, "a name that is longer than what is kept"), 0);
  bw_lock_info i = info_of(&mu);
  CHECK_STR(i.name, "a name that is longer t");
  CHECK_STR(i.kind, "lock");
  CHECK_EQ(bw_lock_name(&mu, NULL), 0);
  i = info_of(&mu);
  CHECK_STR(i.name, "");
  begin();
  end((const void *[]){&mu}, 1);
}

static int holders_of_mutex(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  begin();
  CHECK_EQ(bw_lock_name(&mu, "mu"), 0);
  bw_mutex_lock(&mu);
  int line = __LINE__ - 1;
  char place[32];
  snprintf(place, sizeof place, "locks_watch.c:%d", line);
  bw_lock_info i = info_of(&mu);
  CHECK_STR(i.kind, "mutex");
  CHECK_EQ(i.holders, 1);
  CHECK_EQ(i.owner, bw_goid());
  CHECK(ends_with(i.held_at, place));
  CHECK(!bw_mutex_trylock(&mu));
  CHECK_EQ(bw_mutex_lock_until(&mu, 0), BW_ETIMEDOUT); // it says so on stderr as well: it is ours
  CHECK_EQ(info_of(&mu).taken, 1);
  bw_mutex_unlock(&mu);
  i = info_of(&mu);
  CHECK_EQ(i.holders, 0);
  CHECK(!i.held_at && i.held_most_at && i.hold_ns == i.longest_hold_ns);
  CHECK(bw_mutex_trylock(&mu));
  bw_mutex_unlock(&mu);
  i = info_of(&mu);
  CHECK_EQ(i.taken, 2);
  CHECK_EQ(i.waited, 0);
  end((const void *[]){&mu}, 1);
  return 0;
}
TEST(locks_holders_of_a_mutex) { test_run(holders_of_mutex, NULL, 1); }
TEST(locks_holders_of_a_mutex_on_a_plain_thread) { CHECK_EQ(holders_of_mutex(NULL), 0); }

static int holders_of_rwmutex(void *arg) {
  (void)arg;
  bw_rwmutex rw = {0};
  begin();
  bw_rwmutex_rlock(&rw);
  CHECK(bw_rwmutex_try_rlock(&rw));
  CHECK_EQ(info_of(&rw).holders, 2);
  bw_rwmutex_runlock(&rw);
  bw_rwmutex_runlock(&rw);
  CHECK_EQ(info_of(&rw).holders, 0);
  CHECK_EQ(bw_rwmutex_lock_until(&rw, 0), 0);
  CHECK_EQ(info_of(&rw).holders, 1);
  CHECK(!bw_rwmutex_try_rlock(&rw));
  bw_rwmutex_unlock(&rw);
  CHECK_STR(info_of(&rw).kind, "rwmutex");
  CHECK_EQ(info_of(&rw).taken, 3);
  bw_spinlock spin = {0};
  bw_spin_lock(&spin);
  CHECK_EQ(info_of(&spin).holders, 1);
  CHECK_STR(info_of(&spin).kind, "spin lock");
  bw_spin_unlock(&spin);
  end((const void *[]){&rw, &spin}, 2);
  return 0;
}
TEST(locks_holders_of_others) { test_run(holders_of_rwmutex, NULL, 1); }

// With a context, and through a condition's wait, which gives the mutex up.
static int holders_by_other_ways(void *arg) {
  (void)arg;
  bw_mutex mu = {0};
  bw_rwmutex rw = {0};
  bw_cond cond = BW_COND(&mu);
  bw_context *ctx = bw_context_background();
  begin();
  CHECK_EQ(bw_mutex_lock_ctx(ctx, &mu), 0);
  CHECK_EQ(info_of(&mu).holders, 1);
  CHECK_EQ(bw_cond_wait_until(&cond, bw_now() + BW_MILLISECOND), BW_ETIMEDOUT);
  CHECK_EQ(info_of(&mu).holders, 1);
  CHECK_EQ(info_of(&mu).taken, 2);
  bw_mutex_unlock(&mu);
  CHECK_EQ(bw_rwmutex_rlock_ctx(ctx, &rw), 0);
  CHECK_EQ(info_of(&rw).holders, 1);
  bw_rwmutex_runlock(&rw);
  CHECK_EQ(bw_rwmutex_lock_ctx(ctx, &rw), 0);
  CHECK_EQ(info_of(&rw).holders, 1);
  bw_rwmutex_unlock(&rw);
  CHECK(info_of(&mu).holders == 0 && info_of(&rw).holders == 0);
  end((const void *[]){&mu, &rw}, 2);
  return 0;
}
TEST(locks_holders_by_other_ways) { test_run(holders_by_other_ways, NULL, 1); }

// Those that are held when watching begins or ends are not known as held.
TEST(locks_watched_in_the_middle) {
  bw_mutex a = {0}, b = {0};
  bw_mutex_lock(&a);
  begin();
  bw_mutex_lock(&b);
  bw_mutex_unlock(&a);
  CHECK_EQ(bw_locks_read(NULL, 0), 1);
  CHECK(bw_locks_watch(false));
  CHECK_EQ(info_of(&b).holders, 0);
  bw_mutex_unlock(&b);
  begin();
  end((const void *[]){&b}, 1);
}

// Goroutines of a run that is over hold nothing, and their numbers are others' in the next one.
static bw_mutex outlives, other;

static int hold_at_end(void *arg) {
  (void)arg;
  bw_mutex_lock(&outlives);
  return 0;
}

static int take_other(void *arg) {
  (void)arg;
  bw_mutex_lock(&other);
  bw_mutex_unlock(&other);
  return 0;
}

TEST(locks_of_a_run_that_is_over) {
  begin();
  bw_mutex_lock(&other);
  bw_mutex_lock(&outlives); // a plain thread's order
  bw_mutex_unlock(&outlives);
  bw_mutex_unlock(&other);
  test_run(hold_at_end, NULL, 1);
  CHECK_EQ(info_of(&outlives).holders, 0);
  test_run(take_other, NULL, 1); // by goroutine 1 again, as hold_at_end: no circle
  CHECK_EQ(bw_lock_circles(), 0);
  end((const void *[]){&outlives, &other}, 2);
}

// Who waits while watching ends gets a lock that the watch knows nothing of.
static void wait_for_busy(void *arg) {
  contended *c = arg;
  bw_mutex_lock(&c->busy);
  CHECK_EQ(info_of(&c->busy).holders, 0);
  bw_mutex_unlock(&c->busy);
  group_done(&c->g);
}

static int ends_while_one_waits(void *arg) {
  (void)arg;
  contended c = {.busy = {0}};
  begin();
  bw_mutex_lock(&c.busy);
  group_init(&c.g, 1);
  CHECK_EQ(bw_go(wait_for_busy, &c), 0);
  while (bw__sema_waiting() == 0) bw_gosched();
  CHECK(bw_locks_watch(false));
  bw_mutex_unlock(&c.busy);
  group_wait(&c.g);
  CHECK_EQ(info_of(&c.busy).holders, 0);
  begin();
  end((const void *[]){&c.busy}, 1);
  return 0;
}
TEST(locks_watch_ends_while_one_waits) { test_run(ends_while_one_waits, NULL, 1); }

// ---- time ---------------------------------------------------------------------------------------

static void take_busy(void *arg) {
  contended *c = arg;
  bw_mutex_lock(&c->busy);
  bw_mutex_unlock(&c->busy);
  group_done(&c->g);
}

static int worst_first(void *arg) {
  (void)arg;
  contended c = {.busy = {0}, .quiet = {0}};
  begin();
  bw_mutex_lock(&c.quiet);
  bw_mutex_unlock(&c.quiet);
  bw_mutex_lock(&c.busy);
  group_init(&c.g, 1);
  CHECK_EQ(bw_go(take_busy, &c), 0);
  bw_sleep(5 * BW_MILLISECOND); // in which the other one runs and waits, or it would never wait
  bw_mutex_unlock(&c.busy);
  group_wait(&c.g);
  bw_lock_info two[2], one[1];
  CHECK_EQ(bw_locks_read(two, 2), 2);
  CHECK(two[0].lock == &c.busy && two[1].lock == &c.quiet);
  CHECK_EQ(bw_locks_read(one, 1), 2);
  CHECK(one[0].lock == &c.busy);
  CHECK_EQ(two[0].waited, 1);
  CHECK(two[0].wait_ns > 0 && two[0].wait_ns == two[0].longest_wait_ns && two[0].waited_most_at);
  CHECK(two[0].longest_hold_ns >= 5 * BW_MILLISECOND);
  end((const void *[]){&c.busy, &c.quiet}, 2);
  return 0;
}
TEST(locks_worst_first) { test_run(worst_first, NULL, 1); }

// ---- order --------------------------------------------------------------------------------------

TEST(locks_in_order_are_fine) {
  bw_mutex m[4] = {{0}};
  begin();
  for (int i = 0; i < 4; i++)
    for (int k = i + 1; k < 4; k++) take_both(&m[i], &m[k]);
  bw_mutex_lock(&m[3]);
  CHECK(bw_mutex_trylock(&m[0])); // a try may go against the order
  bw_mutex_unlock(&m[0]);
  bw_mutex_unlock(&m[3]);
  CHECK_EQ(bw_lock_circles(), 0);
  end((const void *[]){&m[0], &m[1], &m[2], &m[3]}, 4);
}

// Told once, and again when one of them is forgotten and used anew.
TEST(locks_in_a_circle) {
  bw_mutex a = {0}, b = {0};
  begin();
  take_both(&a, &b);
  CHECK_EQ(bw_lock_circles(), 0);
  take_both(&b, &a);
  CHECK_EQ(bw_lock_circles(), 1);
  take_both(&b, &a);
  take_both(&a, &b);
  CHECK_EQ(bw_lock_circles(), 1);
  bw_lock_forget(&a);
  take_both(&b, &a);
  CHECK_EQ(bw_lock_circles(), 1);
  take_both(&a, &b);
  CHECK_EQ(bw_lock_circles(), 2);
  end((const void *[]){&a, &b}, 2);
}

// Against a reference: there is a circle exactly when the new edge closes a path.
TEST(locks_order_model) {
  enum { N = 7 };
  static bw_mutex m[N];
  const void *all[N];
  bool edge[N][N] = {{false}}, reach[N][N] = {{false}};
  uint64_t circles = bw_lock_circles();
  uint32_t seed = 1;
  begin();
  for (int i = 0; i < N; i++) all[i] = &m[i];
  for (int step = 0; step < 200; step++) {
    seed = seed * 1103515245 + 12345;
    int i = (int)(seed >> 16) % N, k = (int)(seed >> 20) % N;
    if (i == k) continue;
    if (!edge[i][k]) circles += reach[k][i];
    edge[i][k] = true;
    for (int x = 0; x < N; x++)
      for (int y = 0; y < N; y++)
        if ((x == i || reach[x][i]) && (y == k || reach[k][y])) reach[x][y] = true;
    take_both(&m[i], &m[k]);
    CHECK_EQ(bw_lock_circles(), circles);
  }
  end(all, N);
}

static void circle_of_three(void) {
  static bw_mutex a, b, c;
  begin();
  bw_lock_name(&a, "a");
  bw_lock_name(&b, "b");
  bw_lock_name(&c, "c");
  take_both(&a, &b);
  take_both(&b, &c);
  take_both(&c, &a);
  exit(3);
}
DEATH_TEST(locks_circle_names_the_new, 3, " wants mutex \"a\" at ") { circle_of_three(); }
DEATH_TEST(locks_circle_names_what_is_held, 3, ", and holds mutex \"c\", taken at ") {
  circle_of_three();
}
DEATH_TEST(locks_circle_names_the_old, 3, "  earlier mutex \"c\" was wanted at ") {
  circle_of_three();
}
DEATH_TEST(locks_circle_names_all, 3, " by one that held mutex \"a\", taken at ") {
  circle_of_three();
}

DEATH_TEST(locks_taken_twice, 3, "and holds it already, taken at ") {
  static bw_mutex mu;
  begin();
  bw_mutex_lock(&mu);
  bw_mutex_lock_until(&mu, 0);
  exit(3);
}

// ---- dumps --------------------------------------------------------------------------------------

typedef struct {
  bw_mutex *first, *second;
  bw_chan *turn, *next;
} crosswise;

static void take_crosswise(void *arg) {
  crosswise *c = arg;
  bw_chan_recv(c->turn, NULL);
  bw_mutex_lock(c->first);
  bw_chan_send(c->next, NULL);
  bw_chan_recv(c->turn, NULL);
  bw_mutex_lock(c->second);
}

static int deadlock(void *arg) {
  static bw_mutex a, b;
  bw_chan *one = bw_chan_make(0, 1), *two = bw_chan_make(0, 1), *three = bw_chan_make(0, 1);
  crosswise c = {&a, &b, one, two}, d = {&b, &a, two, three};
  bw_lock_name(&a, "accounts");
  bw_lock_name(&b, "balances");
  bw_locks_watch(arg != NULL);
  CHECK_EQ(bw_go(take_crosswise, &c), 0);
  CHECK_EQ(bw_go(take_crosswise, &d), 0);
  bw_chan_send(one, NULL);
  bw_chan_recv(three, NULL);
  bw_chan_close(one);
  bw_chan_close(two);
  bw_chan_recv(bw_chan_make(0, 0), NULL); // for ever
  return 0;
}
DEATH_TEST(locks_deadlock_says_what_is_waited_for, 2, "[sync.Mutex.Lock]:") {
  test_run(deadlock, NULL, 1);
}
DEATH_TEST(locks_deadlock_says_the_name, 2, " \"balances\"") { test_run(deadlock, NULL, 1); }
DEATH_TEST(locks_deadlock_says_who_has_it, 2, " ms by goroutine ") {
  test_run(deadlock, &deadlock, 1);
}
DEATH_TEST(locks_dump_lists_those_held, 2, "\nlocks held:\n  mutex \"") {
  test_run(deadlock, &deadlock, 1);
}

static int is_watched(void *arg) {
  (void)arg;
  return bw_locks_watch(false) ? 0 : 1;
}

TEST(locks_watched_by_environment) {
  CHECK_EQ(setenv("BURROW_DEBUG", "locks=1", 1), 0);
  test_run(is_watched, NULL, 1);
  unsetenv("BURROW_DEBUG");
}

// ---- many at once -------------------------------------------------------------------------------

typedef struct {
  bw_mutex mu[3];
  bw_rwmutex rw;
  long sum;
  group g;
} crowd;

static void crowd_member(void *arg) {
  crowd *c = arg;
  int rounds = test_is_slow_build() ? 50 : 500;
  for (int i = 0; i < rounds; i++) {
    bw_rwmutex_rlock(&c->rw);
    bw_mutex_lock(&c->mu[i % 3]);
    if (i % 8 == 0) bw_gosched();
    bw_mutex_unlock(&c->mu[i % 3]);
    bw_rwmutex_runlock(&c->rw);
    bw_rwmutex_lock(&c->rw);
    c->sum++;
    bw_rwmutex_unlock(&c->rw);
  }
  group_done(&c->g);
}

static int many(void *arg) {
  (void)arg;
  enum { MEMBERS = 8 };
  static crowd c;
  begin();
  group_init(&c.g, MEMBERS);
  for (int i = 0; i < MEMBERS; i++) CHECK_EQ(bw_go(crowd_member, &c), 0);
  group_wait(&c.g);
  long rounds = test_is_slow_build() ? 50 : 500;
  CHECK_EQ(c.sum, (long)MEMBERS * rounds);
  CHECK_EQ(info_of(&c.rw).taken, 2L * MEMBERS * rounds);
  CHECK_EQ(info_of(&c.rw).holders, 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(info_of(&c.mu[i]).holders, 0);
  CHECK_EQ(bw_lock_circles(), 0);
  end((const void *[]){&c.mu[0], &c.mu[1], &c.mu[2], &c.rw}, 4);
  return 0;
}
TEST(locks_watched_in_a_crowd) { test_run(many, NULL, 4); }
