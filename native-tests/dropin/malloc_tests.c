// malloc-tests NAME: one test of a malloc that was put in place of the C library's, by LD_PRELOAD
// or by linking. The program itself knows nothing of it but the names that `serves` looks up.
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <burrow/alloc.h>

#include "check.h"
#include "family.h"

static void (*read_stats)(bw_alloc_stats *);

static bw_alloc_stats stats(void) {
  bw_alloc_stats s;
  read_stats(&s);
  return s;
}

// ---- ours serves --------------------------------------------------------------------------------

static void serves(void) {
  void *p[1000];
  uint64_t before = stats().mallocs;
  for (int i = 0; i < 1000; i++) p[i] = malloc(100);
  CHECK(stats().mallocs - before == 1000);
  for (int i = 0; i < 1000; i++) free(p[i]);
  // What the C library allocates by itself.
  uint64_t frees = stats().frees;
  before = stats().mallocs;
  char *text = strdup("text"), *more = NULL;
  CHECK(asprintf(&more, "%s and %d", text, 7) > 0 && strcmp(more, "text and 7") == 0);
  free(text);
  free(more);
  CHECK(stats().mallocs - before >= 2 && stats().frees - frees >= 2);
}

// ---- before main and after it -------------------------------------------------------------------

static void *made_early, *made_at_load;

__attribute__((constructor(101))) static void early(void) {
  made_early = malloc(100000);
  free(malloc(10));
}

__attribute__((constructor)) static void at_load(void) {
  free(made_early);
  made_at_load = calloc(10, 10);
}

static void at_exit(void) {
  free(made_at_load);
  made_at_load = malloc(5000);
}

__attribute__((destructor)) static void at_unload(void) {
  free(made_at_load);
  free(malloc(77));
}

enum { KEYS = 50 }; // above 32 glibc allocates in pthread_setspecific

static pthread_key_t keys[KEYS];
static atomic_int rounds;

// A block for each key; each comes back as long as glibc does rounds.
static void end_key(void *p) {
  size_t n = malloc_usable_size(p);
  CHECK(n >= 100);
  free(p);
  void *next = malloc(n + 1), *other = malloc(40000);
  free(other);
  for (int i = 0; i < KEYS; i++)
    if (!pthread_getspecific(keys[i])) {
      pthread_setspecific(keys[i], next);
      next = NULL;
      break;
    }
  free(next);
  atomic_fetch_add(&rounds, 1);
}

static void *use_keys(void *arg) {
  for (int i = 0; i < KEYS; i++) pthread_setspecific(keys[i], malloc(100));
  return arg;
}

static void in_thread_ends(void) {
  for (int i = 0; i < KEYS; i++) pthread_key_create(&keys[i], end_key);
  uint64_t caches = stats().caches;
  for (int i = 0; i < 20; i++) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, use_keys, NULL) == 0);
    pthread_join(t, NULL);
  }
  CHECK(atomic_load(&rounds) > 20 * KEYS); // more than one round
  CHECK(stats().caches == caches);         // every thread gave its cache back
}

static void around_main(void) {
  atexit(at_exit);
  CHECK(made_at_load);
}

// A thread that never allocated frees what another made; and one whose first call is each of these.
static void *frees_only(void *p) {
  free(p);
  return NULL;
}

static void first_calls(void) {
  for (int i = 0; i < 200; i++) {
    pthread_t t;
    pthread_create(&t, NULL, frees_only, malloc((size_t)1 << i % 20));
    pthread_join(t, NULL);
  }
}

// ---- fork ---------------------------------------------------------------------------------------

static atomic_bool stop;
static _Atomic(void *) exchange[64]; // blocks go from thread to thread

static void churn(unsigned seed, int steps) {
  void *mine[100] = {0};
  for (int i = 0; steps < 0 ? !atomic_load(&stop) : i < steps; i++) {
    seed = seed * 1664525 + 1013904223;
    void **slot = &mine[seed >> 8 & 63];
    size_t n = (seed >> 16 & 15) == 0 ? 50000 : seed >> 16 & 1023;
    if (seed >> 28 == 0) {
      *slot = realloc(*slot, n + 1);
      continue;
    }
    free(*slot);
    *slot = malloc(n + 1);
    CHECK(*slot);
    memset(*slot, 1, n + 1);
    if (seed >> 29 == 1) *slot = atomic_exchange(&exchange[seed >> 4 & 63], *slot);
  }
  for (int i = 0; i < 100; i++) free(mine[i]);
}

static void *churn_on(void *seed) {
  churn((unsigned)(uintptr_t)seed, -1);
  return NULL;
}

static void *begin_threads(void *arg) { // threads that come and go: caches made and given back
  while (!atomic_load(&stop)) {
    pthread_t t;
    if (pthread_create(&t, NULL, frees_only, malloc(100)) == 0) pthread_join(t, NULL);
  }
  return arg;
}

static void in_fork(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    pthread_create(&threads[i], NULL, i ? churn_on : begin_threads, (void *)(uintptr_t)i);
  for (int i = 0; i < 200; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(20); // hangs: the parent sees a signal
      churn(77u + (unsigned)i, 1000);
      pthread_t t;
      CHECK(pthread_create(&t, NULL, frees_only, malloc(1000)) == 0);
      pthread_join(t, NULL);
      if (i % 50 == 0 && fork() == 0) _exit(0); // a fork in the child
      exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 64; i++) free(atomic_load(&exchange[i]));
}

// ---- numbers and tuning -------------------------------------------------------------------------

static void info(void) {
  size_t used = mallinfo2().uordblks;
  char *p = malloc(64 << 20);
  memset(p, 1, 64 << 20);
  CHECK(mallinfo2().uordblks - used >= 64 << 20 && mallinfo2().arena >= 64 << 20);
  free(p);
  CHECK(mallinfo2().uordblks - used < 1 << 20 && mallinfo2().fordblks >= 64 << 20);
  CHECK(malloc_trim(0) == 1);
  CHECK(mallopt(M_ARENA_MAX, 1) == 1);
  CHECK(malloc_info(1, stdout) == EINVAL);
  char *text;
  size_t length;
  FILE *f = open_memstream(&text, &length);
  CHECK(malloc_info(0, f) == 0);
  fclose(f);
  CHECK(strncmp(text, "<malloc version=", 16) == 0 && strstr(text, "</malloc>\n"));
  free(text);
  malloc_stats();
}

// ---- misuse -------------------------------------------------------------------------------------

static char in_static[100];

static void misuse(void) {
  int out[2];
  CHECK(pipe(out) == 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 2);
    void *volatile p = in_static + 16;
    free(p); // NOLINT(clang-analyzer-unix.Malloc)
    _exit(0);
  }
  close(out[1]);
  char said[200] = "";
  CHECK(read(out[0], said, sizeof said - 1) > 0);
  int status;
  waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  CHECK(strstr(said, "fatal error: ") && strstr(said, "was not allocated by Burrow"));
}

// ---- which --------------------------------------------------------------------------------------

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
    {"serves", serves},
    {"family", family},
    {"around_main", around_main},
    {"thread_ends", in_thread_ends},
    {"fork", in_fork},
    {"first_calls", first_calls},
    {"info", info},
    {"misuse", misuse},
};

int main(int argc, char **argv) {
  *(void **)&read_stats = dlsym(RTLD_DEFAULT, "bw_alloc_stats_read");
  if (!read_stats) {
    fputs("Burrow's malloc is not in this process\n", stderr);
    return 1;
  }
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    if (argc != 2 || strcmp(argv[1], tests[i].name) != 0) continue;
    tests[i].run();
    return 0;
  }
  fputs("usage: malloc-tests NAME\n", stderr);
  return 2;
}
