// The programs, in groups, and the command:
//
//   burrow-model GROUP          explores a group; prints how many interleavings there were
//   burrow-model                lists the groups
//   burrow-model --program TEXT [CHOICES] [option...]   one program; one execution of it, traced
//   burrow-model --locks TEXT [option...]   one of sync.h: permits=N left=N timeouts=N bound=N
//   starves burrow-model-mutants NAME   the same sources with a bug: fails unless it is found
//
// Options: exact, shuffle, direct, full, bound=N (see program_options). BURROW_MODEL_LONG=1
// explores more and larger programs.
#include "groups.h"
#include "lock.h"
#include "pool.h"
#include "program.h"
#include "sync.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef MODEL_MUTANTS
#include "mutants.h"
int model_mutant;
#endif

typedef struct {
  const char *text, *options;
} entry;

model_totals totals;

// ---- groups -------------------------------------------------------------------------------------

static const entry channels[] = {
    {"0: send0 send0 | recv0 recv0 | close0", "exact"},
    {"1: send0 send0 | recv0 recv0 | close0", "exact"},
    {"0: send0 recv0 | recv0 send0 | recv0", "exact"},
    {"1: send0 send0 | send0 | recv0 recv0 recv0", "exact"},
    {"2: send0 send0 send0 | recv0 | recv0 recv0", "exact"},
    {"0: send0 | send0 | recv0 | recv0", "exact"},
    {"0: recv0 | recv0 | close0 | send0", "exact"},
    {"1: send0 | send0 | close0 | recv0", "exact"},
    {"0 0: send0 recv1 | recv0 send1 | close0", "exact"},
    {"0: thread: send0 send0 | recv0 recv0 | close0", ""},
    {"1: thread: send0 send0 | thread: recv0 | recv0", ""},
    {"0: send0 recv0 | recv0 send0", "exact direct"},
    {"0: send0 | recv0 | close0", "exact direct"},
};

static const entry tries[] = {
    {"1: send0 send0 | recv0 | tryrecv0", "exact"},
    {"2: send0 send0 send0 | recv0 | tryrecv0", "exact"},
    {"1: send0 close0 | recv0 | tryrecv0", "exact"},
    {"1: trysend0 close0 | recv0 tryrecv0 | send0", "exact"},
    {"0: trysend0 | recv0 | close0", "exact"},
    {"0: tryrecv0 | send0 | close0", "exact"},
    {"1: trysend0 trysend0 | tryrecv0 tryrecv0 | close0", "exact"},
    {"0: trysend0 trysend0 | recv0 | recv0", "exact"},
    {"0: tryrecv0 tryrecv0 | send0 send0", "exact"},
    {"1 0: send0 send1 | recv1 tryrecv0", "exact"},
    {"1: send0 close0 | tryrecv0 tryrecv0 | tryrecv0", "exact"},
};

static const entry many[] = {
    {"0: sendmany0 | recvmany0 recvmany0", "exact"},
    {"1: sendmany0 | recvmany0 recvmany0", "exact"},
    {"2: sendmany0 send0 | recvmany0 | tryrecv0", "exact"},
    {"2: sendmany0 | sendmany0 | recvmany0 recvmany0", "exact"},
    {"1: sendmany0 | recv0 | close0", "exact"},
    {"0: sendmany0 | recv0 | recv0", "exact"},
    {"0: recvmany0 | send0 | close0", "exact"},
    {"1: sendmany0 sendmany0 | recvmany0 | recv0 recv0", "exact"},
    {"0: sendmany0 | select(recv0,send0) | recv0", "exact"},
    {"1: thread: sendmany0 | recvmany0 | trysend0", "exact"},
    {"1: sendmany0 | recvmany0 | close0", "exact direct"},
    {"0: ticketsend0 | recv0", "exact"},
    {"0: ticketrecv0 | trysend0 | close0", "exact"},
    {"1: ticketsend0 ticketsend0 | recv0 | tryrecv0", "exact"},
    {"0: ticketrecv0 cancel0 | send0", "exact"},
    {"0: ticketsend0 cancel0 | recv0 | close0", "exact"},
    {"0: ticketrecv0 ticketsend0 | select(send0,recv0)", "exact"},
    {"0: ticketrecv0 ticketrecv0 cancel0 | send0 | close0", "exact"},
};

static const entry selects[] = {
    {"0 0: select(send0,recv1) | select(send1,recv0)", "exact shuffle"},
    {"0 0: select(recv0,recv1) | select(send1,send0)", "exact shuffle"},
    {"0 0: select(send0,send1) | recv0 | recv1", "exact shuffle"},
    {"0 0: select(recv0,recv1) | send0 | send1", "exact shuffle"},
    {"0: select(send0,recv0) | select(send0,recv0)", "exact shuffle"},
    {"0: select(send0,recv0) select(send0,recv0) | select(send0,recv0) select(send0,recv0)",
     "exact"},
    {"0: select(send0,recv0) | select(send0,recv0) | select(send0,recv0)", "exact"},
    {"0: select(recv0,recv0) | send0 | close0", "exact"},
    {"0: select(send0,send0,recv0) | recv0 | close0", "exact shuffle"},
    {"0 0: select(recv0,recv1) | close0 | close1", "exact shuffle"},
    {"0 0: select(send0,recv1) | close0 | send1", "exact shuffle"},
    {"0: select(send0,recv0) | close0 | select(recv0,send0)", "exact"},
    {"1 1: send0 recv0 | tryselect(recv0,recv1)", "exact shuffle"},
    {"1 1: send0 send1 recv0 | tryselect(recv0,recv1)", "exact shuffle"},
    {"1 1: send0 close1 recv0 | tryselect(recv0,recv1)", "exact shuffle"},
    {"1 1: send1 recv0 send0 recv1 | send0 tryselect(recv0,recv1)", "exact shuffle"},
    {"1 1: send1 recv0 send0 recv1 | send0 tryselect(recv1,recv0)", "exact shuffle"},
    {"0 0: tryselect(send0,recv1) | tryselect(send1,recv0)", "exact"},
    {"0 0 0: select(recv0,recv1,recv2) | send2 | send0", "exact"},
    {"0 0: select(recv0,recv1) recv0 recv1 | send0 | send1", "exact"},
    {"0 0: select(send0,recv1) | select(send1,recv0) | select(recv0,recv1)", "exact"},
    {"0 0: thread: select(send0,recv1) | select(send1,recv0)", "exact shuffle"},
    {"0 0: thread: select(recv0,recv1) | send0 | close1", "exact"},
    {"0 0: select(send0,recv1) | select(send1,recv0)", "exact shuffle direct"},
    {"0 0: select(recv0,recv1) | send0 | send1", "exact direct"},
};

static const entry deadlines[] = {
    {"0: recvuntil0 | send0", "exact"},
    {"0: recvuntil0 | send0 | recv0", "exact"},
    {"0: senduntil0 | recv0 | close0", "exact"},
    {"1: senduntil0 senduntil0 | recvuntil0", "exact"},
    {"0: senduntil0 | recvuntil0", "exact"},
    {"0 0: selectuntil(recv0,recv1) | send0 | send1", "exact"},
    {"0 0: selectuntil(recv0,recv1) | close0 | send1", "exact"},
    {"0 0: selectuntil(send0,recv1) | selectuntil(send1,recv0)", "exact"},
    {"0: selectuntil(send0,recv0) | select(send0,recv0)", "exact"},
    {"0: recvuntil0 recvuntil0 | send0", "exact"},
    {"0: thread: recvuntil0 | send0 | recv0", "exact"},
    {"0: thread: senduntil0 | recv0 | close0", ""},
    {"0: thread: senduntil0 | thread: recvuntil0", "exact"},
    {"0 0: thread: selectuntil(recv0,recv1) | send0 | send1", ""},
    {"0: recvuntil0 | send0", "exact direct"},
    {"0 0: selectuntil(recv0,recv1) | send0 | send1", "exact direct"},
};

static const entry ends[] = {
    {"1: send0 release0 | recv0 release0", "exact"},
    {"0: send0 release0 | recv0 release0 | release0", "exact"},
    {"0: close0 release0 | recv0 release0", "exact"},
    {"0 0: select(recv0,recv1) release0 | send1 | release0", "exact"},
    {"0 0: recv0 | select(recv0,send1) | send1", "exact"},
    {"0 0: select(send0,send1) | select(send1,send0) | send0", "exact"},
    {"0: selectuntil(recv0,recv0) release0 | release0", "exact"},
};

// Seconds each; the first ones are in the short form as well.
enum { LARGER_SHORT = 3 };
static const entry larger[] = {
    {"0: send0 send0 send0 | recv0 recv0 recv0 | close0", "exact"},
    {"1: send0 send0 send0 | recv0 recv0 recv0 | close0", "exact"},
    {"1: send0 recv0 | send0 recv0 | send0 recv0", "exact"},
    {"0: send0 recv0 trysend0 | recv0 send0 tryrecv0 | close0", "exact"},
    {"0: send0 | send0 | recv0 | recv0 close0", "exact"},
    {"0 1: selectuntil(recv0,recv1) close0 | send0 recv1 | send1", "exact shuffle"},
    {"0 0: select(send0,recv1) select(send0,recv1) | select(send1,recv0) select(send1,recv0)",
     "exact shuffle"},
    {"0 0: selectuntil(recv0,recv1) | selectuntil(send0,send1) | send0", "exact shuffle"},
    {"0 0: selectuntil(send0,recv1) | selectuntil(send1,recv0) | close0", "exact shuffle"},
    {"0 0: thread: selectuntil(recv0,recv1) | thread: selectuntil(send0,send1) | close0", ""},
    {"0: select(send0,recv0) select(send0,recv0) | select(send0,recv0) | select(send0,recv0)",
     "exact"},
    {"0 0 0: select(recv0,recv1,recv2) | select(send2,send1,send0) | send1", "exact shuffle"},
    {"0 0: select(send0,recv1) | select(send1,recv0) | select(recv0,recv1) | send0", ""},
    {"1: sendmany0 send0 | sendmany0 | recvmany0 recvmany0 | close0", ""},
    {"1: send0 send0 | recv0 recv0 | tryrecv0 | close0", "exact"},
    {"0 1 2: select(send0,recv1,send2) recv2 | select(recv0,send1,recv2) send0 | close0",
     "exact bound=2"},
    {"1 1: select(send0,recv1) select(recv0,send1) | select(send1,recv0) recv0 | send0 recv1",
     "exact bound=2"},
};

// ---- exploring ----------------------------------------------------------------------------------

static program_options read_options(const char *text) {
  program_options o = {.intervals = strstr(text, "exact"),
                       .shuffles = strstr(text, "shuffle"),
                       .direct = strstr(text, "direct"),
                       .full = strstr(text, "full")};
  const char *bound = strstr(text, "bound=");
  if (bound) o.bound = atoi(bound + 6);
  return o;
}

void totals_add(const model_result *r) {
  totals.programs++;
  totals.interleavings += r->executions;
  totals.cut += r->cut;
  totals.steps += r->steps;
  if (r->failed) totals.failed = true;
}

static uint64_t explore(const char *text, const char *options) {
  if (totals.failed) return 0;
  program_options o = read_options(options);
  model_result r = program_explore(text, &o);
  totals_add(&r);
  if (r.failed)
    printf("  again: burrow-model --program \"%s\" CHOICES %s\n", text, options);
  else if (o.bound)
    printf("  at most %d preemptions: %s: %" PRIu64 "\n", o.bound, text, r.executions);
  else if (totals.long_form && r.executions > 100000)
    printf("  %s: %" PRIu64 "\n", text, r.executions);
  return o.outcomes;
}

static void explore_all(const entry *entries, size_t n) {
  for (size_t i = 0; i < n; i++) explore(entries[i].text, entries[i].options);
}

#define EXPLORE_ALL(list) explore_all(list, sizeof(list) / sizeof *(list))

static void group_channels(void) { EXPLORE_ALL(channels); }
static void group_tries(void) { EXPLORE_ALL(tries); }
static void group_many(void) { EXPLORE_ALL(many); }
static void group_selects(void) { EXPLORE_ALL(selects); }
static void group_deadlines(void) { EXPLORE_ALL(deadlines); }
static void group_ends(void) { EXPLORE_ALL(ends); }
static void group_larger(void) {
  explore_all(larger, totals.long_form ? sizeof larger / sizeof *larger : LARGER_SHORT);
}

// ---- families: all programs of a shape ----------------------------------------------------------

static const char *const plain_ops[] = {"send0",  "recv0",      "trysend0",  "tryrecv0",
                                        "close0", "senduntil0", "recvuntil0"};
enum { SIMPLE = 5, PLAIN = 7 }; // of plain_ops: those without a deadline, all

// Two threads with two operations each, on a channel of capacity 0, 1, 2.
static void group_pairs(void) {
  char text[128];
  int ops = totals.long_form ? PLAIN : SIMPLE, all = ops * ops;
  for (int cap = 0; cap <= 2; cap++)
    for (int a = 0; a < all; a++)
      for (int b = a; b < all; b++) {
        snprintf(text, sizeof text, "%d: %s %s | %s %s", cap, plain_ops[a / ops],
                 plain_ops[a % ops], plain_ops[b / ops], plain_ops[b % ops]);
        explore(text, "exact");
      }
}

// Three threads with one operation each, of which the first may have sent before.
static void group_triples(void) {
  char text[128];
  for (int cap = 0; cap <= 1; cap++)
    for (int before = 0; before < 2; before++)
      for (int a = 0; a < PLAIN; a++)
        for (int b = before ? 0 : a; b < PLAIN; b++)
          for (int c = b; c < PLAIN; c++) {
            snprintf(text, sizeof text, "%d: %s%s | %s | %s%s", cap, before ? "send0 " : "",
                     plain_ops[a], plain_ops[b], totals.long_form && cap ? "thread: " : "",
                     plain_ops[c]);
            explore(text, totals.long_form ? "exact" : "");
          }
}

// Two selects with two cases each, on two channels; a third thread does one thing, or nothing.
static void group_select_pairs(void) {
  static const char *const cases[] = {"send0", "recv0", "send1", "recv1"};
  static const char *const forms[] = {"select", "tryselect", "selectuntil"};
  static const char *const thirds[] = {"", "| close0", "| send1", "| recv0"};
  char text[128];
  for (int third = 0; third < 4; third++)
    for (int form = 0; form < 3; form++)
      for (int a = 0; a < 16; a++)
        for (int b = 0; b < 16; b++) {
          if (b % 4 < b / 4) continue; // the order of one's cases is enough
          snprintf(text, sizeof text, "0 %d: %s(%s,%s) | select(%s,%s) %s", third % 2, forms[form],
                   cases[a / 4], cases[a % 4], cases[b / 4], cases[b % 4], thirds[third]);
          explore(text, third == 0 ? "exact shuffle" : totals.long_form ? "exact" : "");
        }
}

// ---- the lock, and the queue of a pool ----------------------------------------------------------

static void explore_lock(const lock_program *p, bool wasm) {
  if (totals.failed) return;
  model_result r = (wasm ? lock_wasm : lock_native)(p);
  totals_add(&r);
  if (r.failed)
    printf("  the %s lock: %d threads, %d rounds, %d timeouts\n", wasm ? "wasm" : "native",
           p->threads, p->rounds, p->timeouts);
}

static void group_lock(void) {
  static const lock_program programs[] = {
      {2, 1, 0, true, 0},  {2, 1, 1, false, 0}, {2, 1, 2, true, 0},
      {2, 2, 0, false, 0}, {3, 1, 0, false, 0},
  };
  static const lock_program more[] = {
      {2, 2, 1, false, 0}, {2, 3, 0, false, 0}, {3, 1, 1, false, 0}, {3, 2, 0, false, 3}};
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
    for (int wasm = 0; wasm < 2; wasm++) explore_lock(&programs[i], wasm);
  for (size_t i = 0; totals.long_form && i < sizeof more / sizeof *more; i++)
    for (int wasm = 0; wasm < 2; wasm++) explore_lock(&more[i], wasm);
}

static void explore_pool(const pool_program *p) {
  if (totals.failed) return;
  model_result r = pool_chain(p);
  totals_add(&r);
  if (r.failed)
    printf("  the queue of a pool: owner %s, %d takers, %d takes\n", p->owner, p->takers, p->takes);
}

static void group_pool(void) {
  static const pool_program programs[] = {
      {"po", 1, 1, 0},   {"pp", 2, 1, 0},    {"ppo", 1, 2, 0},  {"ppp", 1, 2, 0},
      {"pppo", 1, 2, 0}, {"ppoor", 1, 1, 0}, {"porp", 1, 1, 0}, {"pppoorp", 1, 1, 0},
      {"ppp", 2, 1, 0},  {"popp", 2, 1, 0},  {"prpr", 1, 2, 0}, {"pppooorr", 1, 2, 0},
  };
  static const pool_program more[] = {
      {"pppp", 1, 3, 0}, {"pppoor", 2, 1, 0}, {"pprppr", 2, 2, 3}, {"pppppp", 2, 3, 3}};
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) explore_pool(&programs[i]);
  for (size_t i = 0; totals.long_form && i < sizeof more / sizeof *more; i++)
    explore_pool(&more[i]);
}

// ---- the checker itself -------------------------------------------------------------------------

// What the reduction leaves out must be no outcome.
static void group_reduction(void) {
  static const char *const texts[] = {"0: send0 | recv0",
                                      "1: send0 | tryrecv0 tryrecv0",
                                      "0: trysend0 | recv0",
                                      "0: send0 | recv0 | close0",
                                      "1: send0 | close0 | tryrecv0",
                                      "0: tryselect(recv0,send0) | tryrecv0"};
  static const char *const more[] = {"0: recvuntil0 | trysend0",
                                     "0: select(recv0,send0) | trysend0", "1: send0 send0 | recv0"};
  size_t n = sizeof texts / sizeof *texts,
         all = n + (totals.long_form ? sizeof more / sizeof *more : 0);
  for (size_t i = 0; i < all; i++) {
    const char *text = i < n ? texts[i] : more[i - n];
    uint64_t reduced = explore(text, ""), full = explore(text, "full");
    if (totals.failed || reduced == full) continue;
    printf("program \"%s\": the reduction loses an outcome\n", text);
    totals.failed = true;
  }
}

// ---- the command --------------------------------------------------------------------------------

static const struct {
  const char *name;
  void (*explore)(void);
} groups[] = {
    {"channels", group_channels},
    {"tries", group_tries},
    {"many", group_many},
    {"selects", group_selects},
    {"deadlines", group_deadlines},
    {"ends", group_ends},
    {"pairs", group_pairs},
    {"triples", group_triples},
    {"select_pairs", group_select_pairs},
    {"lock", group_lock},
    {"pool", group_pool},
    {"mutex", group_mutex},
    {"rwmutex", group_rwmutex},
    {"sema", group_sema},
    {"cond", group_cond},
    {"tickets", group_tickets},
    {"reduction", group_reduction},
    {"larger", group_larger},
};
enum { GROUPS = sizeof groups / sizeof *groups };

static void run_group(const char *name) {
  for (int i = 0; i < GROUPS; i++) {
    if (strcmp(groups[i].name, name) != 0) continue;
    groups[i].explore();
    printf("%s: %" PRIu64 " programs, %" PRIu64 " interleavings (%" PRIu64
           " of them cut short), %" PRIu64 " steps%s\n",
           name, totals.programs, totals.interleavings, totals.cut, totals.steps,
           totals.failed ? ": VIOLATION" : "");
    return;
  }
  fprintf(stderr, "no group is named %s\n", name);
  exit(2);
}

static void crashed(int number) {
  static bool before;
  if (before) _exit(3);
  before = true;
  printf("signal %d\n", number);
  model_report();
  fflush(stdout);
#ifdef MODEL_MUTANTS
  _exit(0); // a crash is a finding
#else
  _exit(1);
#endif
}

static void watch_for_crashes(void) {
  static char stack[64 * 1024];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, NULL);
  struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGABRT, &action, NULL);
}

#ifdef MODEL_MUTANTS
static int run_mutant(const char *name) {
  static const struct {
    const char *name, *group, *missing;
  } mutants[] = {{"none", "", ""},
#define MUTANT_ROW(mutant, group, missing) {#mutant, group, missing},
                 MUTANTS(MUTANT_ROW)
#undef MUTANT_ROW
  };
  for (int i = 1; i < (int)(sizeof mutants / sizeof *mutants); i++) {
    if (strcmp(mutants[i].name, name) != 0) continue;
    if (*mutants[i].missing) {
      printf("the text that it changes is not in %s any more: see mutants.cmake\n",
             mutants[i].missing);
      return 1;
    }
    model_mutant = i;
    run_group(mutants[i].group);
    if (!totals.failed) printf("NOT FOUND: %s\n", name);
    return totals.failed ? 0 : 1;
  }
  fprintf(stderr, "no mutant is named %s\n", name);
  return 2;
}
#endif

static int run_sync(int argc, char **argv) {
  sync_program p = {.text = argv[2]};
  for (int i = 3; i < argc; i++) {
    sscanf(argv[i], "permits=%d", &p.permits);
    sscanf(argv[i], "left=%d", &p.left);
    sscanf(argv[i], "timeouts=%d", &p.timeouts);
    sscanf(argv[i], "bound=%d", &p.bound);
    if (strcmp(argv[i], "starves") == 0) p.starves = true;
  }
  explore_sync(&p);
  printf("%" PRIu64 " interleavings (%" PRIu64 " of them cut short), %" PRIu64 " steps%s\n",
         totals.interleavings, totals.cut, totals.steps, totals.failed ? ": VIOLATION" : "");
  return totals.failed;
}

static int run_program(int argc, char **argv) {
  char options[128] = "";
  const char *choices = NULL;
  for (int i = 3; i < argc; i++) {
    if (argv[i][0] >= '0' && argv[i][0] <= '9')
      choices = argv[i];
    else
      snprintf(options + strlen(options), sizeof options - strlen(options), " %s", argv[i]);
  }
  program_options o = read_options(options);
  o.replay = choices;
  model_result r = program_explore(argv[2], &o);
  if (!choices)
    printf("%s: %" PRIu64 " interleavings (%" PRIu64 " of them cut short), %" PRIu64 " steps\n",
           argv[2], r.executions, r.cut, r.steps);
  return r.failed;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *wish = getenv("BURROW_MODEL_LONG");
  totals.long_form = wish && strcmp(wish, "0") != 0;
  watch_for_crashes();
  if (argc >= 3 && strcmp(argv[1], "--program") == 0) return run_program(argc, argv);
  if (argc >= 3 && strcmp(argv[1], "--locks") == 0) return run_sync(argc, argv);
  if (argc < 2) {
    for (int i = 0; i < GROUPS; i++) printf("%s\n", groups[i].name);
    return 0;
  }
#ifdef MODEL_MUTANTS
  return run_mutant(argv[1]);
#else
  run_group(argv[1]);
  return totals.failed;
#endif
}
