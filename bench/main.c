// The runner: picks benchmarks by name, runs each on each number of Ps, prints what they measured.
// See README.md for the arguments.
#include "bench.h"

enum { PROCS_MAX = 16 };

static struct {
  bench_case *cases;
  bool json, list;
  int64_t divide;
  int procs[PROCS_MAX];
  int procs_count;
  const char *skip; // names that are left out, between commas
  bw_slice chans;   // bw_chan *: what bench_chan made for the benchmark that runs
  // The benchmark that runs:
  bench_case *now;
  int printed; // results so far
} runner = {.divide = 1, .skip = ""};

// Sorted by name, so that the order is the same on every target.
void bench_register(bench_case *b) {
  bench_case **at = &runner.cases;
  while (*at && strcmp((*at)->name, b->name) < 0) at = &(*at)->next;
  b->next = *at;
  *at = b;
}

int64_t bench_count(int64_t full) { return full > runner.divide ? full / runner.divide : 1; }

bw_chan *bench_chan(size_t elem_size, ptrdiff_t capacity) {
  bw_chan *c = bw_chan_make(elem_size, capacity);
  if (!c || bw_slice_push(&runner.chans, sizeof c, &c, 1)) bw_panic("no memory for a channel");
  return c;
}

// Begins the result `name`, up to where its figures go.
static void begin_result(const char *name) {
  if (runner.json)
    printf("%s\n  {\"name\": \"%s\", \"procs\": %d, ", runner.printed ? "," : "", name, bw_procs());
  else
    printf("%s/p%d  ", name, bw_procs());
  runner.printed++;
}

void bench_result_as(const char *name, int64_t ops, int64_t ns) {
  if (ns < 1) ns = 1;
  double ns_per_op = (double)ns / (double)ops, ops_per_s = 1e9 / ns_per_op;
  begin_result(name);
  printf(runner.json ? "\"ops_per_s\": %.0f, \"ns_per_op\": %.2f}" : "%.0f ops/s  %.2f ns/op\n",
         ops_per_s, ns_per_op);
  fflush(stdout);
}

void bench_result(int64_t ops, int64_t ns) { bench_result_as(runner.now->name, ops, ns); }

void bench_value(const char *name, double value, const char *unit) {
  begin_result(name);
  printf(runner.json ? "\"value\": %.2f, \"unit\": \"%s\"}" : "%.2f %s\n", value, unit);
  fflush(stdout);
}

void bench_skip(const char *why) {
  fprintf(stderr, "%s/p%d  skipped: %s\n", runner.now->name, bw_procs(), why);
}

// A benchmark has a goroutine of its own: on wasm a switch takes as many steps as there are
// functions on the stack, and the runner's are not to be measured. It stays until the runtime
// stops: others may still be at work on what lies on its stack.
static void run_now(void *latch) {
  runner.now->run();
  bench_latch_done(latch);
  bw_chan_recv(NULL, NULL);
}

static int run_one(void *unused) {
  (void)unused;
  bench_latch done = bench_latch_make();
  bench_latch_add(&done, 1);
  bench_go(run_now, &done);
  bench_latch_wait(&done);
  return 0;
}

// 0, or 1 when the runtime could not be started.
static int run_on(bench_case *b, int procs) {
  runner.now = b;
  runner.chans = (bw_slice){0};
  int code = bw_run(run_one, NULL, &(bw_options){.procs = procs});
  for (ptrdiff_t i = 0; i < runner.chans.len; i++)
    bw_chan_release(*BW_AT(bw_chan *, runner.chans, i));
  bw_slice_free(runner.chans);
  if (code) fprintf(stderr, "%s: cannot run on %d Ps: %s\n", b->name, procs, bw_strerror(code));
  return code ? 1 : 0;
}

// ---- arguments ----------------------------------------------------------------------------------

static int usage(void) {
  fprintf(stderr, "usage: burrow-bench [NAME...] [--procs N[,N...]] [--divide N] [--skip NAME,...]"
                  " [--json] [--list]\n");
  return 1;
}

static bool parse_procs(const char *text) {
  runner.procs_count = 0;
  for (char *end; runner.procs_count < PROCS_MAX; text = end + 1) {
    long n = strtol(text, &end, 10);
    if (end == text || n < 1 || n > 1024) return false;
    runner.procs[runner.procs_count++] = (int)n;
    if (*end == 0) return true;
    if (*end != ',') return false;
  }
  return false;
}

static bool parse_divide(const char *text) {
  char *end;
  runner.divide = strtoll(text, &end, 10);
  return end != text && *end == 0 && runner.divide >= 1;
}

static bench_case *find(const char *name) {
  for (bench_case *b = runner.cases; b; b = b->next)
    if (strcmp(b->name, name) == 0) return b;
  return NULL;
}

static bool skipped(const char *name) {
  size_t n = strlen(name);
  for (const char *at = runner.skip; (at = strstr(at, name)); at += n)
    if ((at == runner.skip || at[-1] == ',') && (at[n] == ',' || at[n] == 0)) return true;
  return false;
}

static int run_all_procs(bench_case *b) {
  int status = 0;
  for (int i = 0; i < runner.procs_count; i++) status |= run_on(b, runner.procs[i]);
  return status;
}

// Reads the option at argv[*i] and moves *i to its last word. False: no such option, or a bad
// value.
static bool parse_option(char **argv, int *i) {
  const char *option = argv[*i];
  bool *flag = strcmp(option, "--json") == 0   ? &runner.json
               : strcmp(option, "--list") == 0 ? &runner.list
                                               : NULL;
  if (flag) return *flag = true, true;
  const char *value = argv[++*i];
  if (!value) return false;
  if (strcmp(option, "--procs") == 0) return parse_procs(value);
  if (strcmp(option, "--divide") == 0) return parse_divide(value);
  if (strcmp(option, "--skip") != 0) return false;
  runner.skip = value;
  return true;
}

int main(int argc, char **argv) {
  runner.procs_count = 1; // of 0: the runtime's own choice
  int names = 0;          // kept at argv[1..names]
  for (int i = 1; i < argc; i++)
    if (argv[i][0] != '-')
      argv[++names] = argv[i];
    else if (!parse_option(argv, &i))
      return usage();
  for (int i = 1; i <= names; i++)
    if (!find(argv[i])) return fprintf(stderr, "no such benchmark: %s\n", argv[i]), 1;
  if (runner.list) {
    for (bench_case *b = runner.cases; b; b = b->next) printf("%s\n", b->name);
    return 0;
  }

  int status = 0;
  if (runner.json) printf("[");
  for (int i = 1; i <= names; i++) status |= run_all_procs(find(argv[i]));
  for (bench_case *b = runner.cases; b && names == 0; b = b->next)
    if (!skipped(b->name)) status |= run_all_procs(b);
  if (runner.json) printf("\n]\n");
  return status;
}
