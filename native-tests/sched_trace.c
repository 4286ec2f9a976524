// Execution traces: what is recorded, what is lost, starting and stopping while goroutines run.
#include "chan_util.h"
#include "trace_util.h"

#include "port/port.h"

#if !BW_WASM
#include <unistd.h>
#endif

enum { EVENT = 40 }; // bytes, as burrow/trace.h says

static bw_chan *chan;

// ---- a small known program ----------------------------------------------------------------------

static void worker(void *arg) {
  (void)arg;
  int v;
  bw_chan_recv(chan, &v);
  bw_gosched();
  bw_sleep(BW_MICROSECOND);
}

// A select that waits is a stop like any other.
static void selector(void *arg) {
  (void)arg;
  int v;
  BW_SELECT(bw_on_recv(chan, &v), bw_on_send(chan, &v));
}

static int known_select(void *arg) {
  (void)arg;
  chan = bw_chan_make(sizeof(int), 0);
  CHECK_EQ(bw_go_with(&(bw_go_options){.name = "worker"}, selector, NULL), 0);
  bw_gosched(); // the worker waits
  bw_chan_send(chan, &(int){1});
  while (bw_num_goroutine() > 1) bw_sleep(100 * BW_MICROSECOND);
  bw_chan_release(chan);
  return 0;
}

static int known(void *arg) {
  (void)arg;
  chan = bw_chan_make(sizeof(int), 0);
  CHECK_EQ(bw_go_with(&(bw_go_options){.name = "worker"}, worker, NULL), 0);
  bw_gosched(); // the worker waits for a value
  bw_chan_send(chan, &(int){1});
  while (bw_num_goroutine() > 1) bw_sleep(100 * BW_MICROSECOND);
  bw_chan_release(chan);
  return 0;
}

static trace_read trace_known(int procs) {
  CHECK_EQ(bw_trace_start(0), BW_OK);
  test_run(known, NULL, procs);
  trace_read t = trace_get();
  CHECK_EQ(t.dropped, 0);
  trace_check(&t);
  trace_check_created(&t, 100);
  return t;
}

// The worker's runs in the order of time must end in these ways.
static void check_ends(const trace_read *t, const char *const *ends, int n) {
  double after = -1;
  for (int k = 0; k < n; k++) {
    const trace_record *first = NULL;
    for (int i = 0; i < t->count; i++) {
      const trace_record *r = &t->records[i];
      if (!trace_is(r, 'X', "run") || strcmp(r->name, "worker") != 0 || r->ts <= after) continue;
      if (!first || r->ts < first->ts) first = r;
    }
    CHECK(first);
    CHECK_STR(first->end, ends[k]);
    after = first->ts;
  }
}

static const trace_record *find_record(const trace_read *t, const char *cat, const char *name) {
  for (int i = 0; i < t->count; i++)
    if (strcmp(t->records[i].cat, cat) == 0 && strcmp(t->records[i].name, name) == 0)
      return &t->records[i];
  return NULL;
}

TEST(sched_trace_of_a_known_program) {
  static const char *const ends[] = {"chan receive", "yield", "sleep", "end"};
  trace_read t = trace_known(1);
  CHECK_EQ(trace_count(&t, 'X', "run", "worker"), 4);
  if (!BW_WASM) check_ends(&t, ends, 4); // wasm's clocks are coarse
  CHECK_EQ(trace_count(&t, 'i', "go", "go worker"), 1);
  CHECK_EQ(trace_count(&t, 'i', "go", "go main"), 1);
  const trace_record *made = find_record(&t, "go", "go worker");
  CHECK_EQ(made->by, 1);
  // By the value, by the timer.
  CHECK_EQ(trace_count(&t, 'i', "wake", "wake worker"), 2);
  CHECK_EQ(find_record(&t, "wake", "wake worker")->g, made->g);
  CHECK(trace_count(&t, 'X', "timers", "timers") >= 1);
  CHECK(trace_count(&t, 'X', "hold", "P 0") >= 1);
  // An arrow to each start but those after a yield.
  int runs = trace_count(&t, 'X', "run", NULL), yields = 0;
  for (int i = 0; i < t.count; i++) yields += strcmp(t.records[i].end, "yield") == 0;
  CHECK_EQ(trace_count(&t, 'f', "wake", NULL), runs - yields);
  trace_drop(&t);
}

// The value may be there before the worker looks.
static void check_worker_runs(const trace_read *t) {
  int runs = trace_count(t, 'X', "run", "worker");
  CHECK(runs == 3 || runs == 4);
}

TEST(sched_trace_of_a_select) {
  CHECK_EQ(bw_trace_start(0), BW_OK);
  test_run(known_select, NULL, 1);
  trace_read t = trace_get();
  trace_check(&t);
  CHECK_EQ(trace_count(&t, 'X', "run", "worker"), 2);
  if (!BW_WASM) check_ends(&t, (const char *const[]){"select", "end"}, 2);
  trace_drop(&t);
}
TEST(sched_trace_of_a_known_program_on_three_procs) {
  trace_read t = trace_known(3);
  check_worker_runs(&t);
  trace_drop(&t);
}

// ---- blocking calls, gomaxprocs, steals ---------------------------------------------------------

static void nothing(void *arg) { (void)arg; }

static void call(void *arg) {
  for (int i = 0; i < 10; i++) bw_blocking(nothing, NULL);
  group_done(arg);
}

static int calls(void *arg) {
  (void)arg;
  group g;
  CHECK_EQ(bw_trace_start(0), BW_OK);
  group_init(&g, 4);
  for (int i = 0; i < 4; i++) CHECK_EQ(bw_go(call, &g), 0);
  CHECK_EQ(bw_gomaxprocs(4), 2);
  group_wait(&g);
  CHECK_EQ(bw_gomaxprocs(1), 4);
  bw_trace_stop();
  return 0;
}

THREADS_TEST(sched_trace_blocking_calls_and_procs) {
  test_run(calls, NULL, 2);
  trace_read t = trace_get();
  trace_check(&t);
  CHECK_EQ(trace_count(&t, 'X', "call", "blocking call"), 40);
  int stops = 0, procs = 0;
  for (int i = 0; i < t.count; i++) {
    stops += strcmp(t.records[i].end, "blocking call") == 0;
    procs += t.records[i].ph == 'C' && strcmp(t.records[i].name, "gomaxprocs") == 0;
  }
  CHECK_EQ(stops, 40);
  CHECK_EQ(procs, 2);
  trace_drop(&t);
}

static atomic_bool stolen;

static void be_stolen(void *arg) {
  (void)arg;
  atomic_store(&stolen, true);
}

// The only P that could run it otherwise does not let go.
static int steal_one(void *arg) {
  (void)arg;
  CHECK_EQ(bw_go_with(&(bw_go_options){.name = "prey"}, be_stolen, NULL), 0);
  while (!atomic_load(&stolen)) bw__cpu_relax();
  return 0;
}

THREADS_TEST(sched_trace_steals) {
  CHECK_EQ(bw_trace_start(0), BW_OK);
  test_run(steal_one, NULL, 2);
  trace_read t = trace_get();
  trace_check(&t);
  const trace_record *run = NULL;
  for (int i = 0; i < t.count; i++)
    if (trace_is(&t.records[i], 'X', "run") && strcmp(t.records[i].name, "prey") == 0)
      run = &t.records[i];
  CHECK(run);
  int from_its_maker = 0;
  for (int i = 0; i < t.count; i++) {
    const trace_record *r = &t.records[i];
    if (!trace_is(r, 'i', "steal") || r->g != run->g) continue;
    CHECK_EQ(r->tid, run->tid);
    CHECK_STR(r->name, run->tid == 1 ? "steal from P 1" : "steal from P 0");
    from_its_maker++;
  }
  CHECK_EQ(from_its_maker, 1);
  trace_drop(&t);
}

// ---- a full buffer ------------------------------------------------------------------------------

static int overflow(void *arg) {
  (void)arg;
  static const bw_go_options first = {.name = "first"}, last = {.name = "last"};
  CHECK_EQ(bw_trace_start((size_t)EVENT * 64), BW_OK);
  CHECK_EQ(bw_go_with(&first, nothing, NULL), 0);
  for (int i = 0; i < 1000; i++) bw_gosched();
  CHECK_EQ(bw_go_with(&last, nothing, NULL), 0);
  bw_gosched();
  bw_trace_stop();
  return 0;
}

TEST(sched_trace_overflow_keeps_the_newest) {
  test_run(overflow, NULL, 1);
  trace_read t = trace_get();
  trace_check(&t);
  // Two events a yield; the buffers of two threads and of the plain ones are full at most.
  CHECK(t.dropped >= 2 * 1000 - 3 * 64);
  CHECK(t.dropped <= 2 * 1000 + 100);
  CHECK_EQ(trace_count(&t, 'X', "run", "first"), 0);
  CHECK_EQ(trace_count(&t, 'X', "run", "last"), 1);
  CHECK_EQ(trace_count(&t, 'i', "go", "go last"), 1);
  int runs = trace_count(&t, 'X', "run", "main");
  CHECK(runs >= 20 && runs <= 64);
  trace_drop(&t);
}

// ---- states and names ---------------------------------------------------------------------------

static int odd_names(void *arg) {
  static const char *const names[] = {"\"\\\n\x7f", "caf\xc3\xa9 \xc3", "\xed\xa0\x80\xf5.",
                                      "a name of more than 23 bytes"};
  (void)arg;
  for (int i = 0; i < 4; i++)
    CHECK_EQ(bw_go_with(&(bw_go_options){.name = names[i]}, nothing, NULL), 0);
  settle();
  return 0;
}

TEST(sched_trace_names) {
  CHECK_EQ(bw_trace_start(0), BW_OK);
  test_run(odd_names, NULL, 1);
  trace_read t = trace_get();
  trace_check(&t);
  CHECK_EQ(trace_count(&t, 'X', "run", "\"\\??"), 1);
  CHECK_EQ(trace_count(&t, 'X', "run", "caf\xc3\xa9 ?"), 1);
  CHECK_EQ(trace_count(&t, 'X', "run", "????."), 1);
  CHECK_EQ(trace_count(&t, 'X', "run", "a name of more than 23 "), 1);
  trace_drop(&t);
}

static void put_nowhere(void *arg, const char *data, size_t n) {
  (void)data;
  *(size_t *)arg += n;
}

static void start_while_writing(void *arg, const char *data, size_t n) {
  put_nowhere(arg, data, n);
  CHECK_EQ(bw_trace_start(0), BW_ESTATE);
  CHECK_EQ(bw_trace_write(put_nowhere, arg), BW_ESTATE);
  bw_trace_free();
  bw_trace_stop();
}

TEST(sched_trace_states) {
  size_t n = 0;
  CHECK_EQ(bw_trace_write(put_nowhere, &n), BW_ESTATE);
  bw_trace_stop();
  bw_trace_free();
  CHECK_EQ(bw_trace_dropped(), 0);
  CHECK_EQ(bw_trace_start(SIZE_MAX), BW_ENOMEM);
  CHECK_EQ(bw_trace_start(0), BW_OK);
  CHECK_EQ(bw_trace_start(0), BW_ESTATE);
  CHECK_EQ(bw_trace_write(put_nowhere, &n), BW_ESTATE);
  bw_trace_free(); // runs on
  bw_trace_stop();
  CHECK_EQ(n, 0);
  CHECK_EQ(bw_trace_write(start_while_writing, &n), BW_OK);
  CHECK(n > 0);
  CHECK_EQ(bw_trace_write_file("no such folder/trace.json"),
           strcmp(bw_port_name(), "emscripten") == 0 ? BW_ENOTSUP : BW_EINVAL);
  bw_trace_free();
  CHECK_EQ(bw_trace_write(put_nowhere, &n), BW_ESTATE);
}

#if !BW_WASM
static void read_file(const char *path, trace_read *t) {
  char buffer[1000];
  FILE *f = fopen(path, "r");
  CHECK(f);
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;) trace_take(t, buffer, n);
  fclose(f);
}

TEST(sched_trace_by_the_environment) {
  char path[] = "/tmp/burrow-trace-XXXXXX", debug[64];
  int fd = mkstemp(path);
  CHECK(fd >= 0);
  close(fd);
  snprintf(debug, sizeof debug, "trace=%s", path);
  CHECK_EQ(setenv("BURROW_DEBUG", debug, 1), 0);
  test_run(known, NULL, 2);
  trace_read t = {0};
  read_file(path, &t);
  CHECK_EQ(unlink(path), 0);
  trace_parse(&t);
  trace_check(&t);
  trace_check_created(&t, 100);
  check_worker_runs(&t);
  trace_drop(&t);
  CHECK_EQ(bw_trace_write(put_nowhere, &t.len), BW_ESTATE); // the runtime has freed it
}
#endif

// ---- under way ----------------------------------------------------------------------------------

typedef struct {
  bw_chan *c;
  atomic_bool stop;
  group done;
} busy;

static void talk(void *arg) {
  busy *b = arg;
  for (int i = 0; !atomic_load(&b->stop); i++) {
    if (i % 2)
      bw_chan_send(b->c, &i);
    else
      bw_chan_recv(b->c, &(int){0});
    if (i % 7 == 0) bw_gosched();
    if (i % 50 == 0) bw_sleep(BW_MICROSECOND);
    if (i % 64 == 0) bw_go(nothing, NULL);
    if (i % 128 == 0) bw_blocking(nothing, NULL);
  }
  group_done(&b->done);
}

static void start_from_thread(void *arg) {
  busy *b = arg;
  while (!atomic_load(&b->stop)) {
    bw_go(nothing, NULL);
    bw__port_sleep_until(bw__port_now() + 100000);
  }
  bw_outside_leave();
}

static void trace_shortly(int round) {
  CHECK_EQ(bw_trace_start((size_t)EVENT << (round % 12)), BW_OK);
  for (int i = 0; i < 20; i++) bw_gosched();
  bw_sleep(100 * BW_MICROSECOND);
  bw_trace_stop();
  trace_read t = trace_get();
  trace_check(&t);
  CHECK(t.count > 0);
  trace_drop(&t);
}

// An even number of talkers on one buffered channel: when they stop, what waits is let go.
static int trace_busy(void *arg) {
  (void)arg;
  enum { TALKERS = 8 };
  busy *b = bw_calloc(1, sizeof *b);
  bw__port_thread thread;
  bool threads = bw__port_capabilities.threads;
  b->c = bw_chan_make(sizeof(int), 4);
  group_init(&b->done, TALKERS);
  if (threads) {
    bw_outside_enter();
    CHECK_EQ(bw__port_thread_start(&thread, start_from_thread, b), 0);
  }
  for (int i = 0; i < TALKERS; i++) CHECK_EQ(bw_go(talk, b), 0);
  for (int round = 0; round < (test_is_slow_build() ? 24 : 60); round++) trace_shortly(round);
  atomic_store(&b->stop, true);
  while (bw_num_goroutine() > 1) {
    bw_chan_try_send(b->c, &(int){0});
    bw_chan_try_recv(b->c, &(int){0});
    bw_gosched();
  }
  if (threads) bw__port_thread_join(&thread);
  while (bw_num_goroutine() > 1) bw_gosched();
  group_wait(&b->done);
  bw_chan_release(b->c);
  bw_free(b);
  bw_trace_free();
  return 0;
}
TEST(sched_trace_starts_and_stops_under_way) { test_run(trace_busy, NULL, 4); }
TEST(sched_trace_starts_and_stops_on_one_proc) { test_run(trace_busy, NULL, 1); }
