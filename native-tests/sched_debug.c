// Dumps, BURROW_DEBUG and counters. What is printed goes to stderr: a death test finds one piece of
// it on every target; natively the whole of it is caught in a file and looked at line by line.
#include "chan_util.h"

#include "port/port.h"
#include "sched/schedtrace.h"

#if !BW_WASM
#include <unistd.h>
#endif

enum { ENOUGH = 3 }; // status of a test that has printed what it should

// ---- catching stderr, natively ------------------------------------------------------------------

#if !BW_WASM
static char caught[1 << 16];
static int stderr_was;
static FILE *catcher;

static void catch_stderr(void) {
  catcher = tmpfile();
  CHECK(catcher);
  stderr_was = dup(2);
  CHECK(dup2(fileno(catcher), 2) == 2);
}

static void caught_stderr(void) {
  dup2(stderr_was, 2);
  close(stderr_was);
  rewind(catcher);
  size_t n = fread(caught, 1, sizeof caught - 1, catcher);
  caught[n] = 0;
  fclose(catcher);
}

static int count_of(const char *text) {
  int n = 0;
  for (const char *at = caught; (at = strstr(at, text)); at += strlen(text)) n++;
  return n;
}
#endif

// ---- dumps --------------------------------------------------------------------------------------

typedef struct {
  bw_chan *c;
  int64_t earlier; // than now it began to wait
  bool locked;
} sleep_args;

static void sleeper(void *arg) {
  sleep_args *a = arg;
  if (a->locked) CHECK_EQ(bw_lock_os_thread(), 0);
  bw_chan_recv(a->c, NULL);
}

static void begin_earlier(bw__g *g, void *arg) {
  const sleep_args *a = arg;
  if (bw__shared_load(&g->state) == BW_G_WAITING)
    bw__shared_store(&g->since, bw__shared_load(&g->since) - a->earlier);
}

static void start_sleeper(sleep_args *a) {
  a->c = bw_chan_make(0, 0);
  CHECK_EQ(bw_go_with(&(bw_go_options){.name = "sleeper"}, sleeper, a), 0);
  settle();
  CHECK(bw__g_each(begin_earlier, a));
}

static int dump(void *arg) {
  start_sleeper(arg);
  bw_debug_dump();
  bw__port_exit(ENOUGH);
}

#define DUMP_TEST(name, text, ...)                                                                 \
  DEATH_TEST(name, ENOUGH, text) {                                                                 \
    sleep_args a = {__VA_ARGS__};                                                                  \
    test_run(dump, &a, 1);                                                                         \
  }

DUMP_TEST(sched_dump_summary, "2 goroutines, 1 procs (0 idle), ", 0)
DUMP_TEST(sched_dump_proc, "P 0: held, M ", 0)
DUMP_TEST(sched_dump_waiting, "goroutine 2 [chan receive]:\n  sleeper fn 0x", 0)
DUMP_TEST(sched_dump_minutes, "goroutine 2 [chan receive, 3 minutes]:\n",
          .earlier = 200 * BW_SECOND)
DUMP_TEST(sched_dump_waits_for, "\n  for 65", .earlier = 65500 * BW_MILLISECOND)
DUMP_TEST(sched_dump_running, "goroutine 1 [running]:\n  main fn 0x", 0)
DUMP_TEST(sched_dump_place, ", P 0, M ", 0)
DUMP_TEST(sched_dump_creator, "  created by goroutine 1", 0)
THREADS_DEATH_TEST(sched_dump_locked, ENOUGH, ", locked to its thread\n") {
  sleep_args a = {.locked = true};
  test_run(dump, &a, 1);
}

#if !BW_WASM
// In use while it waits: what its frames took, a small part of the stack.
static int dump_here(void *arg) {
  start_sleeper(arg);
  catch_stderr();
  bw_debug_dump();
  caught_stderr();
  bw_chan_close(((sleep_args *)arg)->c);
  settle();
  bw_chan_release(((sleep_args *)arg)->c);
  return 0;
}

TEST(sched_dump_stack_use_and_origin) {
  sleep_args a = {0};
  test_run(dump_here, &a, 1);
  size_t used, size;
  long long ms;
  void *fn, *made;
  char rest;
  const char *at = strstr(caught, "\ngoroutine 2 [");
  CHECK(at && (at = strstr(at, "\n  sleeper fn ")));
  CHECK_EQ(sscanf(at, " sleeper fn %p", &fn), 1);
  CHECK(fn == (void *)(uintptr_t)sleeper);
  CHECK((at = strstr(at, "\n  for ")));
  CHECK_EQ(sscanf(at, " for %lld ms, stack %zu of %zu byte%c", &ms, &used, &size, &rest), 4);
  CHECK(used > 0 && used < size && size <= bw_stack_size_default());
  CHECK(test_is_slow_build() || used < (BW_DEBUG ? 32768 : 4096)); // in development whole pages
  CHECK((at = strstr(at, "\n  created by goroutine 1 at ")));
  CHECK_EQ(sscanf(at, " created by goroutine 1 at %p", &made), 1);
  CHECK((char *)made > (char *)(uintptr_t)start_sleeper);
  CHECK(strstr(at, "(burrow-tests+0x"));
}

// All goroutines run, wait and end while they are dumped.
static void come_and_go(void *arg) {
  group *g = arg;
  for (int i = 0; i < 20; i++) bw_gosched();
  group_done(g);
}

static int dump_busy(void *arg) {
  (void)arg;
  catch_stderr();
  for (int round = 0; round < 10; round++) {
    group g;
    group_init(&g, 10);
    for (int i = 0; i < 10; i++) CHECK_EQ(bw_go(come_and_go, &g), 0);
    bw_debug_dump();
    group_wait(&g);
  }
  caught_stderr();
  CHECK_EQ(count_of(" goroutines, 3 procs"), 10);
  CHECK(count_of("goroutine 1 [running]") == 10);
  return 0;
}
TEST(sched_dump_while_all_run) { test_run(dump_busy, NULL, 3); }
#endif

// ---- BURROW_DEBUG -------------------------------------------------------------------------------

// Switches and sleeps until so many summaries are printed.
static int wait_for_lines(void *arg) {
  uint32_t until = bw__load(&bw__schedtrace_lines) + (uint32_t)(intptr_t)arg;
  while (bw__load(&bw__schedtrace_lines) < until) {
    for (int i = 0; i < 100; i++) bw_gosched();
    bw_sleep(BW_MICROSECOND);
  }
  return 0;
}

static void run_with(const char *debug, int lines, int procs) {
  CHECK_EQ(setenv("BURROW_DEBUG", debug, 1), 0);
  test_run(wait_for_lines, (void *)(intptr_t)lines, procs);
}

DEATH_TEST(sched_schedtrace, ENOUGH, "ms: gomaxprocs=1 idleprocs=") {
  run_with("schedtrace=1", 2, 1);
  bw__port_exit(ENOUGH);
}
DEATH_TEST(sched_scheddetail, ENOUGH, "\n  P0: status=") {
  run_with("scheddetail=1,schedtrace=1", 2, 1);
  bw__port_exit(ENOUGH);
}
DEATH_TEST(sched_env_unknown_name, ENOUGH,
           "burrow: BURROW_DEBUG: unknown name in \"nonsense=1\"\n") {
  run_with("schedtrace=1000,nonsense=1", 0, 1);
  bw__port_exit(ENOUGH);
}
DEATH_TEST(sched_env_no_number, ENOUGH,
           "burrow: BURROW_DEBUG: a number is wanted in \"schedtrace=1s\"\n") {
  run_with("schedtrace=1s", 0, 1);
  bw__port_exit(ENOUGH);
}

TEST(sched_env_is_read_at_each_run) {
  run_with("schedtrace=1000000,scheddetail=1,,overstay=20", 0, 1);
  CHECK_EQ(bw__env.schedtrace, 1000 * BW_SECOND);
  CHECK(bw__env.scheddetail && bw__env.monitor);
  CHECK_EQ(bw__env.overstay, 20 * BW_MILLISECOND);
  run_with("schedtrace=0", 0, 1);
  CHECK(bw__env.schedtrace == 0 && !bw__env.scheddetail && bw__env.overstay == 0);
  CHECK(!bw__env.monitor);
  unsetenv("BURROW_DEBUG");
  test_run(wait_for_lines, NULL, 2);
  CHECK_EQ(bw__load(&bw__schedtrace_lines), 0);
}

#if !BW_WASM
static void check_summary(const char *line, int procs, long long *before) {
  long long ms;
  int max, idle, threads, spinning, asleep, at = 0;
  unsigned global, length;
  CHECK_EQ(sscanf(line,
                  "SCHED %lldms: gomaxprocs=%d idleprocs=%d threads=%d spinningthreads=%d "
                  "idlethreads=%d runqueue=%u [%n",
                  &ms, &max, &idle, &threads, &spinning, &asleep, &global, &at),
           7);
  CHECK(at > 0 && ms >= *before);
  *before = ms;
  CHECK_EQ(max, procs);
  CHECK(idle >= 0 && idle <= procs && spinning >= 0 && spinning <= procs);
  CHECK(threads >= 0 && asleep >= 0 && asleep <= threads); // none yet in the first line
  for (int i = 0; i < procs; i++) {
    CHECK_EQ(sscanf(line + at, "%u", &length), 1);
    at += (int)strcspn(line + at, " ]");
    CHECK_EQ(line[at], i < procs - 1 ? ' ' : ']');
    at++;
  }
  CHECK_EQ(line[at], '\n');
}

static void check_p(const char *line, int procs) {
  char status[16];
  int index, m;
  unsigned tick, length;
  unsigned long long g;
  CHECK_EQ(sscanf(line, "  P%d: status=%15s schedtick=%u m=%d g=%llu runqsize=%u\n", &index, status,
                  &tick, &m, &g, &length),
           6);
  CHECK(index >= 0 && index < procs);
  CHECK(strcmp(status, "idle") != 0 || m == -1);
}

static void check_m(const char *line, int procs) {
  char idle[8];
  int index, p;
  unsigned long long g;
  CHECK_EQ(sscanf(line, "  M%d: p=%d curg=%llu idle=%7s\n", &index, &p, &g, idle), 4);
  CHECK(index >= 0 && p >= -1 && p < procs);
  CHECK(strcmp(idle, "true") == 0 || strcmp(idle, "false") == 0);
}

TEST(sched_schedtrace_lines) {
  enum { PROCS = 3 };
  int summaries = 0, ps = 0, ms = 0;
  long long before = 0;
  catch_stderr();
  run_with("schedtrace=1,scheddetail=1", 5, PROCS);
  caught_stderr();
  for (char *line = caught; *line; line = strchr(line, '\n') + 1) {
    if (strncmp(line, "SCHED ", 6) == 0)
      check_summary(line, PROCS, &before), summaries++;
    else if (strncmp(line, "  P", 3) == 0)
      check_p(line, PROCS), ps++;
    else
      check_m(line, PROCS), ms++;
  }
  CHECK(summaries >= 5);
  CHECK_EQ(ps, PROCS * summaries);
  CHECK(ms >= summaries - 1);
}

TEST(sched_env_complains_once) {
  catch_stderr();
  run_with("one,two=2", 0, 1);
  run_with("one,two=2", 0, 1);
  caught_stderr();
  CHECK_EQ(count_of("unknown name in \"one\"\n"), 1);
  CHECK_EQ(count_of("unknown name in \"two=2\"\n"), 1);
}
#endif

// ---- counters -----------------------------------------------------------------------------------

static void come_and_go_once(void *arg) { (void)arg; }

static int look_at_counters(void *arg) {
  (void)arg;
  sleep_args a = {0};
  start_sleeper(&a);
  CHECK_EQ(bw_go(come_and_go_once, NULL), 0);
  bw_sched_stats s = bw_sched_stats_read();
  CHECK_EQ(s.goroutines, 3);
  CHECK_EQ(s.procs, 1);
  CHECK_EQ(s.idle_procs, 0);
  CHECK(s.threads >= 1 && s.idle_threads < s.threads);
  bw_proc_stats p = bw_proc_stats_read(0);
  CHECK_EQ(p.queued, 1);
  uint64_t ends = p.ends;
  bw_chan_close(a.c);
  CHECK_EQ(bw_proc_stats_read(0).queued, 2);
  settle();
  p = bw_proc_stats_read(0);
  CHECK_EQ(p.queued, 0);
  CHECK_EQ(p.ends, ends + 2);
  CHECK_EQ(bw_sched_stats_read().goroutines, 1);
  bw_chan_release(a.c);
  return 0;
}
TEST(sched_counters) {
  CHECK_EQ(bw_sched_stats_read().procs, 0);
  test_run(look_at_counters, NULL, 1);
  bw_sched_stats s = bw_sched_stats_read();
  CHECK_EQ(s.procs, 0);
  CHECK_EQ(s.threads, 0);
  CHECK_EQ(s.goroutines, 0);
}
