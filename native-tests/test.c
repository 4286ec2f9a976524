#include "test.h"

#include <stdarg.h>

#include "base/atomics.h"
#include "port/port.h"

#if !BW_WASM
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

static test_case *tests;

// Constructors run in link order; keeping the list sorted makes the order the same everywhere.
void test_register(test_case *t) {
  test_case **at = &tests;
  while (*at && strcmp((*at)->name, t->name) < 0) at = &(*at)->next;
  t->next = *at;
  *at = t;
}

_Noreturn void test_fail(const char *file, int line, const char *format, ...) {
  va_list args;
  fflush(stdout);
  fprintf(stderr, "%s:%d: check failed: ", file, line);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  fflush(stderr);
  bw__port_exit(1);
}

bool test_is_slow_build(void) { return BW_TSAN || BW_ASAN || BW_ALLOC_DEBUG; }

void test_limit_memory(void) {
#if !BW_WASM
  rlim_t bytes = bw__port_mem_read().virtual_bytes + ((rlim_t)24 << 20);
  struct rlimit limit = {bytes, bytes};
  CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
#endif
}

void test_run(int (*body)(void *), void *arg, int procs) {
  bw_options options = {.procs = procs};
  CHECK_EQ(bw_run(body, arg, &options), 0);
}

// ---- watchdog ----------------------------------------------------------------------------------

static _Atomic(uint32_t) finished;

static int seconds_of(const char *variable, int otherwise) {
  const char *s = bw__port_env(variable);
  return s && atoi(s) > 0 ? atoi(s) : otherwise;
}

int64_t test_stress_ns(int seconds) {
  return seconds_of("BURROW_STRESS_SECONDS", seconds) * BW_SECOND;
}

static int test_seconds(void) {
  return seconds_of("TEST_SECONDS", 60) + seconds_of("BURROW_STRESS_SECONDS", 0);
}

static void watch(void *unused) {
  (void)unused;
  int64_t end = bw__port_now() + test_seconds() * BW_SECOND;
  while (!bw__load(&finished)) {
    int64_t left = end - bw__port_now();
    if (left <= 0) {
      fprintf(stderr, "test hangs: still running after %d s\n", test_seconds());
      bw_debug_dump();
      bw__port_exit(124);
    }
    bw__port_futex_wait(&finished, 0, left);
  }
}

static int run_here(test_case *t) {
  static bw__port_thread dog;
  bool watched = bw__port_capabilities.threads && bw__port_thread_start(&dog, watch, NULL) == 0;
  t->run();
  fflush(stdout);
  if (watched) {
    bw__store(&finished, 1);
    bw__port_futex_wake(&finished, 1);
    bw__port_thread_join(&dog);
  }
  return 0;
}

// ---- judging a child, natively ------------------------------------------------------------------

#if !BW_WASM
static int run_child(test_case *t) {
  static char output[1 << 16];
  int pipe_fd[2];
  if (pipe(pipe_fd) != 0) return 1;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(pipe_fd[1], 1);
    dup2(pipe_fd[1], 2);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
    exit(run_here(t));
  }
  close(pipe_fd[1]);
  size_t len = 0;
  for (ssize_t n; (n = read(pipe_fd[0], output + len, sizeof output - 1 - len)) > 0;)
    len += (size_t)n;
  output[len] = 0;
  int state = 0;
  waitpid(pid, &state, 0);
  int status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  const char *skipped = status == 0 ? strstr(output, "SKIPPED: ") : NULL;
  bool ok = skipped || (status == t->status && (!t->text || strstr(output, t->text)));
  if (!ok) {
    printf("%s\n", output);
    printf("FAILED %s: status %d, wanted %d", t->name, status, t->status);
    if (t->text) printf("; wanted in the output: %s", t->text);
    printf("\n");
  }
  if (skipped) printf("%s", skipped);
  return ok ? 0 : 1;
}
#else
static int run_child(test_case *t) { return run_here(t); }
#endif

// A line of --list. Line ends and tabs in the expected text are written as \n and \t. Not by stdio:
// Emscripten's gives up when the pipe is full.
static void list(const test_case *t) {
  char line[1024];
  int n =
      snprintf(line, sizeof line, "%s\t%s\t%d\t", t->name, t->death ? "death" : "test", t->status);
  size_t at = (size_t)n;
  for (const char *c = t->text ? t->text : ""; *c && at < sizeof line - 2; c++) {
    bool special = *c == '\n' || *c == '\t';
    if (special) line[at++] = '\\';
    if (special)
      line[at++] = *c == '\n' ? 'n' : 't';
    else
      line[at++] = *c;
  }
  line[at++] = '\n';
  bw__port_write(1, line, at);
}

int main(int argc, char **argv) {
  bool child = argc > 2 && strcmp(argv[1], "--run") == 0;
  const char *name = argc > 1 ? argv[argc - 1] : "--list";
  int count = 0;
  for (test_case *t = tests; t; t = t->next, count++) {
    if (strcmp(name, "--list") == 0)
      list(t);
    else if (strcmp(name, t->name) == 0)
      return child ? run_child(t) : run_here(t);
  }
  if (strcmp(name, "--list") == 0) return 0;
  if (strcmp(name, "--count") == 0) return printf("%d\n", count), 0;
  fprintf(stderr, "no such test: %s\n", name);
  return 1;
}
