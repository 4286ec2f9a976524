// The heap profiler's stacks and what it writes: the text for pprof, the list of what is in use,
// what the environment asks for.
#include "test.h"

#include "base/atomics.h"
#include "base/config.h"
#include "port/port.h"

#if !BW_WASM
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

static void start_exact(void) {
  CHECK_EQ(bw_profile_heap_start(&(bw_profile_heap_options){.rate = 1, .seed = 1}), 0);
}

// ---- stacks
// --------------------------------------------------------------------------------------

// Functions with a section of their own: the linker says where it begins and ends.
#if BW_WASM
#define IN_SECTION(name)
#else
#define IN_SECTION(name) __attribute__((section(name)))
extern char site_a_start[] __asm__("__start_site_a"), site_a_stop[] __asm__("__stop_site_a");
extern char site_b_start[] __asm__("__start_site_b"), site_b_stop[] __asm__("__stop_site_b");
#endif

static void *volatile sink; // keeps calls from being the last thing a function does

static BW_NOINLINE IN_SECTION("site_a") void *alloc_a(size_t size) {
  return sink = bw_malloc(size);
}

static BW_NOINLINE IN_SECTION("site_b") void *alloc_b(size_t size) {
  return sink = size > 50000 ? bw_calloc(1, size) : bw_realloc(bw_aligned_alloc(64, 8), size);
}

typedef struct {
  size_t size;
  bw_profile_heap_site site; // with a size of `size` and something in use
  int found;
} search;

static bool match(const bw_profile_heap_site *s, void *arg) {
  search *f = arg;
  if (s->size != f->size || s->allocs == s->frees) return true;
  f->site = *s;
  f->found++;
  return true;
}

static search find(size_t size) {
  search f = {.size = bw_malloc_good_size(size)};
  bw_profile_heap_walk(match, &f);
  return f;
}

#if !BW_WASM
static bool is_at(const bw_profile_heap_site *s, const char *begin, const char *end) {
  return s->depth > 1 && s->frames[0] > (uintptr_t)begin && s->frames[0] <= (uintptr_t)end;
}

static void check_stacks(void) {
  void *a = alloc_a(5000), *b = alloc_b(6000), *c = alloc_b(70000), *d = alloc_a(80000);
  search in_a = find(5000), in_b = find(6000), large_b = find(70000), large_a = find(80000);
  CHECK_EQ(in_a.found, 1);
  CHECK(is_at(&in_a.site, site_a_start, site_a_stop));
  CHECK(is_at(&in_b.site, site_b_start, site_b_stop));
  CHECK(is_at(&large_b.site, site_b_start, site_b_stop));
  CHECK(is_at(&large_a.site, site_a_start, site_a_stop));
  bw_free(a);
  bw_free(b);
  bw_free(c);
  bw_free(d);
}

TEST(alloc_profile_stack_begins_at_the_caller) {
  start_exact();
  check_stacks();
}

// The same sizes from two places are two sites; twice from one place is one.
TEST(alloc_profile_stacks_tell_sites_apart) {
  start_exact();
  void *p[6];
  for (int i = 0; i < 5; i++) p[i] = alloc_a(5000);
  p[5] = alloc_b(5000);
  search f = find(5000);
  CHECK_EQ(f.found, 2);
  for (int i = 0; i < 6; i++) bw_free(p[i]);
  CHECK_EQ(find(5000).found, 0);
}

// On a goroutine's stack the walk ends where the goroutine begins, whoever resumed it.
static int on_goroutine(void *unused) {
  (void)unused;
  check_stacks();
  void *p = alloc_a(5000);
  search f = find(5000);
  CHECK(f.site.depth >= 3 && f.site.depth < 10);
  bw_gosched();
  bw_free(p);
  check_stacks();
  return 0;
}

TEST(alloc_profile_stack_of_a_goroutine) {
  start_exact();
  test_run(on_goroutine, NULL, 2);
}

static void *nest(int depth);
static void *(*volatile nest_again)(int) = nest;

static void *nest(int depth) { return sink = depth ? nest_again(depth - 1) : alloc_a(5000); }

TEST(alloc_profile_deep_stack_is_cut) {
  start_exact();
  void *p = nest(100);
  search f = find(5000);
  CHECK_EQ(f.site.depth, BW_PROFILE_FRAMES);
  CHECK(is_at(&f.site, site_a_start, site_a_stop));
  bw_free(p);
}
#else
TEST(alloc_profile_without_stacks) {
  start_exact();
  void *p = alloc_a(5000), *q = alloc_b(5000);
  search f = find(5000);
  CHECK(f.found == 1 && f.site.depth == 0 && f.site.allocs - f.site.frees == 2);
  bw_free(p);
  bw_free(q);
}
#endif

// ---- the text
// ------------------------------------------------------------------------------------

static char text[1 << 20];

static const char *expect(const char *at, const char *words) {
  if (strncmp(at, words, strlen(words)) != 0)
    test_fail(__FILE__, __LINE__, "wanted \"%s\" at \"%.60s\"", words, at);
  return at + strlen(words);
}

static const char *number(const char *at, unsigned base, uint64_t *out) {
  char *end;
  CHECK((*at >= '0' && *at <= '9') || (base == 16 && *at >= 'a' && *at <= 'f'));
  *out = strtoull(at, &end, (int)base);
  return end;
}

// "N: N [N: N] @"
static const char *counts(const char *at, uint64_t n[4]) {
  at = expect(number(at, 10, &n[0]), ": ");
  at = expect(number(at, 10, &n[1]), " [");
  at = expect(number(at, 10, &n[2]), ": ");
  at = expect(number(at, 10, &n[3]), "] @");
  CHECK(n[0] <= n[2] && n[1] <= n[3] && (n[0] != 0) == (n[1] != 0));
  return at;
}

static void check_grammar(const char *at, uint64_t want_rate) {
  uint64_t all[4], sum[4] = {0}, n[4], rate, address;
  at = expect(counts(expect(at, "heap profile: "), all), " heap_v2/");
  at = expect(number(at, 10, &rate), "\n");
  CHECK_EQ(rate, want_rate);
  while (*at != '\n') {
    int frames = 0;
    for (at = counts(at, n); *at == ' '; frames++) at = number(expect(at, " 0x"), 16, &address);
    at = expect(at, "\n");
    CHECK(BW_WASM ? frames == 0 : frames > 0);
    for (int i = 0; i < 4; i++) sum[i] += n[i];
  }
  for (int i = 0; i < 4; i++) CHECK_EQ(sum[i], all[i]);
  at = expect(at, "\nMAPPED_LIBRARIES:\n");
  CHECK(BW_WASM ? *at == 0 : strstr(at, "r-xp") != NULL);
}

TEST(alloc_profile_text) {
  start_exact();
  void *a = alloc_a(5000), *b = alloc_b(6000);
  bw_free(alloc_b(70000));
  bw_profile_heap_stop();
  size_t length = bw_profile_heap_text(text, sizeof text);
  CHECK(length == strlen(text) && length < sizeof text);
  check_grammar(text, 1);
  char wanted[64];
  size_t size = bw_malloc_good_size(5000);
  snprintf(wanted, sizeof wanted, "\n1: %zu [1: %zu] @", size, size);
  CHECK(strstr(text, wanted));

  char small[100]; // cut, and says what it would have taken
  memset(small, 'x', sizeof small);
  CHECK(bw_profile_heap_text(small, 50) + 4096 > length);
  CHECK(strlen(small) == 49 && small[50] == 'x' && strncmp(small, text, 49) == 0);
  bw_free(a);
  bw_free(b);
}

TEST(alloc_profile_text_without_a_profile) {
  CHECK(bw_profile_heap_text(text, sizeof text) < sizeof text);
  check_grammar(text, BW_PROFILE_RATE);
  CHECK(strncmp(text, "heap profile: 0: 0 [0: 0] @", 27) == 0);
}

TEST(alloc_profile_errors) {
  if (sizeof(size_t) > 4) {
    bw_profile_heap_options o = {.rate = (size_t)((uint64_t)1 << 37 & SIZE_MAX)};
    CHECK_EQ(bw_profile_heap_start(&o), BW_EINVAL);
  }
  CHECK(bw_profile_heap_write("/no/such/folder/x") < 0);
}

// ---- what is in use
// ------------------------------------------------------------------------------

static volatile int three = 3; // or the loop becomes three call sites

static void leak_some(void) {
  for (int i = 0; i < three; i++) alloc_a((size_t)320 << 10);
  alloc_b(30000);
  bw_free(alloc_b(10000));
}

// (On wasm all stacks are one, and what the C library allocates meanwhile is in it.)
DEATH_TEST(alloc_profile_leaks, 0,
           BW_WASM ? " allocations, stack unknown" : "  983040 bytes in 3 allocations, ") {
  start_exact();
  leak_some();
  bw_profile_heap_stop();
  bw_profile_heap_leaks(2);
}

DEATH_TEST(alloc_profile_leaks_none, 0,
           "burrow: still in use: nothing (estimates: one sample in ") {
  CHECK_EQ(bw_profile_heap_start(NULL), 0);
  bw_profile_heap_stop();
  bw_profile_heap_leaks(2);
}

// ---- by the environment, natively
// ----------------------------------------------------------------

#if !BW_WASM
// Runs `test` again with the variable set, in this process, when it is not set yet.
static void with_env(const char *test, const char *name, const char *value) {
  if (getenv(name)) return;
  setenv(name, value, 1);
  execl("/proc/self/exe", "burrow-tests", test, (char *)NULL);
  CHECK(false);
}

static void *before_main;

__attribute__((constructor)) static void allocate_early(void) {
  if (getenv("BURROW_LEAKS")) before_main = bw_malloc((size_t)400 << 10);
}

DEATH_TEST(alloc_profile_env_leaks, 0, "  983040 bytes in 3 allocations, from\n    #0 0x") {
  with_env("alloc_profile_env_leaks", "BURROW_LEAKS", "1");
  leak_some();
}

DEATH_TEST(alloc_profile_env_before_main, 0, "  409600 bytes in 1 allocation, from\n    #0 0x") {
  with_env("alloc_profile_env_before_main", "BURROW_LEAKS", "1");
  CHECK(before_main);
}

DEATH_TEST(alloc_profile_env_no_such_path, 0, "cannot write the heap profile to /no/such/1") {
  with_env("alloc_profile_env_no_such_path", "BURROW_HEAPPROFILE", "/no/such/1");
}

// Written at exit, which is after the test: the next process looks.
DEATH_TEST(alloc_profile_env_writes, 0, "ok: written") {
  static const char name[] = "alloc_profile_env_writes";
  char path[64];
  const char *stage = getenv("TEST_STAGE");
  snprintf(path, sizeof path, "/tmp/burrow-test-%d.prof", (int)getpid());
  if (!stage) {
    pid_t child = fork();
    if (child == 0) {
      setenv("TEST_STAGE", "child", 1);
      setenv("BURROW_HEAPPROFILE_RATE", "1000", 1);
      with_env(name, "BURROW_HEAPPROFILE", "/tmp/burrow-test-%p.prof");
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    snprintf(path, sizeof path, "/tmp/burrow-test-%d.prof", (int)child);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    CHECK(n > 0);
    text[n] = 0;
    close(fd);
    unlink(path);
    check_grammar(text, 1000);
    printf("ok: written\n");
    return;
  }
  leak_some();
}
#endif
