// Calls of the same key at the same time.
#include "chan_util.h"
#include "panic_util.h"

#include "base/rand.h"

typedef struct {
  int number;
  char *text; // counted in `references`
} page;

static bw_singleflight pages;
static atomic_int calls, references;

static void begin(void) {
  pages = (bw_singleflight)BW_SINGLEFLIGHT(sizeof(page));
  atomic_store(&calls, 0);
  atomic_store(&references, 0);
}

static void count_references(void *result, size_t others) {
  CHECK(((page *)result)->text);
  atomic_fetch_add(&references, (int)others);
}

// ---- one call for all who ask at the same time --------------------------------------------------

typedef struct {
  const char *key;
  bw_chan *gate; // the call goes through it; NULL: at once
  int code;      // to return, and what was returned
  page got;
  bool shared, panicked;
  caught c;
} visitor;

static int load(void *arg, void *result) {
  visitor *v = arg;
  page *p = result;
  CHECK(p->number == 0 && !p->text);
  atomic_fetch_add(&calls, 1);
  atomic_fetch_add(&references, 1);
  if (v->gate) bw_chan_recv(v->gate, NULL);
  *p = (page){atomic_load(&calls), "text"};
  return v->code;
}

static void visit(void *arg) {
  visitor *v = arg;
  v->code = bw_singleflight_do(&pages, v->key, strlen(v->key), load, v, &v->got, &v->shared);
}

static int shares(void *arg) {
  enum { N = 10 };
  int code = *(int *)arg;
  begin();
  pages.share = count_references;
  bw_chan *gate = bw_chan_make(0, 0);
  visitor v[N];
  bw_waitgroup wg = {0};
  for (int i = 0; i < N; i++) {
    v[i] = (visitor){.key = "a", .gate = gate, .code = i == 0 ? code : 99};
    CHECK_EQ(bw_waitgroup_go(&wg, visit, &v[i]), 0);
    settle();
  }
  visitor other = {.key = "b"}, longer = {.key = "aa"};
  visit(&other); // of another key: is not held up
  visit(&longer);
  CHECK_EQ(atomic_load(&calls), 3);
  CHECK(!other.shared && other.got.number == 2 && longer.got.number == 3);
  bw_chan_send(gate, NULL);
  bw_waitgroup_wait(&wg);
  CHECK_EQ(atomic_load(&calls), 3);
  for (int i = 0; i < N; i++) {
    CHECK(v[i].shared);
    CHECK_EQ(v[i].code, code);
    CHECK_EQ(v[i].got.number, 3);
    CHECK_STR(v[i].got.text, "text");
  }
  CHECK_EQ(atomic_load(&references), 2 + N);
  visitor later = {.key = "a"}; // nothing is kept
  visit(&later);
  CHECK(!later.shared && later.got.number == 4);
  CHECK(!pages.calls);
  bw_chan_release(gate);
  return 0;
}
TEST(singleflight_shares_a_result) { test_run(shares, &(int){0}, 1); }
TEST(singleflight_shares_an_error) { test_run(shares, &(int){-7}, 1); }

static int forgets(void *arg) {
  (void)arg;
  begin();
  bw_chan *gates[2] = {bw_chan_make(0, 0), bw_chan_make(0, 0)};
  visitor v[4];
  bw_waitgroup wg = {0};
  bw_singleflight_forget(&pages, "a", 1); // there is none
  for (int i = 0; i < 4; i++) {
    v[i] = (visitor){.key = "a", .gate = gates[i / 2]};
    CHECK_EQ(bw_waitgroup_go(&wg, visit, &v[i]), 0);
    settle();
    if (i == 1) bw_singleflight_forget(&pages, "a", 1);
  }
  CHECK_EQ(atomic_load(&calls), 2);
  bw_chan_send(gates[0], NULL);
  settle();
  CHECK(v[0].got.text && v[1].got.text && !v[2].got.text && !v[3].got.text);
  visitor joins = {.key = "a", .gate = gates[1]}; // the end of the first has not ended the second
  CHECK_EQ(bw_waitgroup_go(&wg, visit, &joins), 0);
  settle();
  CHECK_EQ(atomic_load(&calls), 2);
  bw_chan_send(gates[1], NULL);
  bw_waitgroup_wait(&wg);
  CHECK(v[2].shared && v[3].shared && joins.shared);
  for (int i = 0; i < 2; i++) bw_chan_release(gates[i]);
  return 0;
}
TEST(singleflight_forget) { test_run(forgets, NULL, 1); }

// ---- the other ends -----------------------------------------------------------------------------

static char the_value[] = "value";

static int load_badly(void *arg, void *result) {
  load(arg, result);
  const visitor *v = arg;
  if (v->code == 1) bw_panic("page %s", v->key);
  if (v->code == 2) bw_panic_value(the_value, NULL);
  bw_goexit();
}

static void visit_badly(void *arg) {
  visitor *v = arg;
  v->code = bw_singleflight_do(&pages, v->key, strlen(v->key), load_badly, v, &v->got, &v->shared);
}

static void visit_and_catch(void *arg) {
  visitor *v = arg;
  v->panicked = panics(visit_badly, v, &v->c);
}

static int bad_ends(void *arg) {
  (void)arg;
  enum { N = 3 };
  bw_chan *gate = bw_chan_make(0, 0);
  for (int how = 1; how <= 3; how++) {
    visitor v[N];
    bw_waitgroup wg = {0};
    begin();
    for (int i = 0; i < N; i++) {
      v[i] = (visitor){.key = "k", .gate = gate, .code = how};
      CHECK_EQ(bw_waitgroup_go(&wg, visit_and_catch, &v[i]), 0);
      settle();
    }
    bw_chan_send(gate, NULL);
    bw_waitgroup_wait(&wg);
    CHECK_EQ(atomic_load(&calls), 1);
    for (int i = 0; i < N; i++) {
      CHECK_EQ(v[i].panicked, how < 3);
      if (how == 1) CHECK_STR(v[i].c.text, "page k");
      CHECK(v[i].c.value == (how == 2 ? the_value : NULL));
      if (how == 3 && i > 0) CHECK(v[i].code == BW_ECANCELED && !v[i].got.text);
    }
    CHECK(!pages.calls);
  }
  bw_chan_release(gate);
  return 0;
}
TEST(singleflight_panics_reach_all) { test_run(bad_ends, NULL, 1); }

static int until(void *arg) {
  (void)arg;
  begin();
  bw_chan *gate = bw_chan_make(0, 0);
  visitor v = {.key = "k", .gate = gate};
  bw_waitgroup wg = {0};
  page got = {1, "old"};
  bool shared = false;
  CHECK_EQ(bw_waitgroup_go(&wg, visit, &v), 0);
  settle();
  CHECK_EQ(bw_singleflight_do_until(&pages, "k", 1, load, NULL, &got, &shared,
                                    bw_now() + BW_MILLISECOND),
           BW_ETIMEDOUT);
  CHECK(got.number == 0 && !got.text);
  bw_chan_send(gate, NULL);
  bw_waitgroup_wait(&wg);
  CHECK(!v.shared); // who has given up does not count
  visitor own = {.key = "k"};
  CHECK_EQ(bw_singleflight_do_until(&pages, "k", 1, load, &own, &got, &shared, bw_now()), 0);
  CHECK(!shared && got.number == 2);
  bw_chan_release(gate);
  return 0;
}
TEST(singleflight_until) { test_run(until, NULL, 1); }

TEST(singleflight_without_runtime) {
  begin();
  visitor v = {.key = ""};
  visit(&v);
  CHECK(v.code == 0 && v.got.number == 1 && !v.shared);
  v.got = (page){0};
  bw_singleflight plain = {0}; // results of no size
  CHECK_EQ(bw_singleflight_do(&plain, NULL, 0, load, &v, &v.got, NULL), 0);
}

// ---- stress -------------------------------------------------------------------------------------

// Many keys, many who ask, some not for long: a result is that of the key, and calls of one key do
// not overlap.
enum { KEYS = 30 };

static atomic_int under_way[KEYS];
static atomic_bool stop;

static int load_key(void *arg, void *result) {
  int key = *(int *)arg;
  CHECK_EQ(atomic_fetch_add(&under_way[key], 1), 0);
  for (int64_t n = bw_now() % 4; n > 0; n--) bw_gosched();
  *(int *)result = key + 1;
  atomic_fetch_sub(&under_way[key], 1);
  atomic_fetch_add(&calls, 1);
  return 0;
}

static atomic_int asked;

static void ask(void *seed) {
  bw_singleflight *s = &pages;
  bw__rand r = {(uintptr_t)seed};
  while (!atomic_load(&stop)) {
    int key = (int)bw__rand_below(&r, KEYS), got = -1;
    bool patient = bw__rand_below(&r, 3) > 0;
    int code = patient ? bw_singleflight_do(s, &key, sizeof key, load_key, &key, &got, NULL)
                       : bw_singleflight_do_until(s, &key, sizeof key, load_key, &key, &got, NULL,
                                                  bw_now() + (int64_t)bw__rand_below(&r, 20000));
    CHECK(code == 0 || (!patient && code == BW_ETIMEDOUT));
    CHECK_EQ(got, code == 0 ? key + 1 : 0);
    atomic_fetch_add(&asked, 1);
    if (bw__rand_below(&r, 8) == 0) bw_gosched();
  }
}

static int stress(void *arg) {
  enum { GOROUTINES = 30, OUTSIDE = 2 };
  (void)arg;
  uintptr_t seed = (uintptr_t)chan_seed();
  bool outside = bw__port_capabilities.threads;
  chan_thread threads[OUTSIDE];
  bw_waitgroup wg = {0};
  begin();
  pages.result_size = sizeof(int);
  for (uintptr_t i = 0; i < GOROUTINES; i++)
    CHECK_EQ(bw_waitgroup_go(&wg, ask, (void *)(seed + i)), 0);
  for (uintptr_t i = 0; outside && i < OUTSIDE; i++)
    chan_thread_start(&threads[i], ask, (void *)(seed + 100 + i));
  bw_sleep(test_stress_ns(1));
  atomic_store(&stop, true);
  bw_waitgroup_wait(&wg);
  for (int i = 0; outside && i < OUTSIDE; i++) chan_thread_join(&threads[i]);
  CHECK(!pages.calls);
  CHECK(atomic_load(&calls) > 0 && atomic_load(&calls) < atomic_load(&asked));
  return 0;
}
TEST(singleflight_stress) { test_run(stress, NULL, 0); }
