// Random programs of deferred calls, panics, recovers and Goexits, run by the library and by a
// small model; both must say the same.
//
// A program is a tree of functions. Each says its number when it begins, does its statements, and
// is either called or deferred by the one above it. The model works the way of languages that
// unwind: a call has an outcome, and the deferred calls of a frame turn one outcome into another.
// The library runs deferred calls on top of the frames that panic. So the two have nothing in
// common.
#include "panic_util.h"

#include "base/rand.h"
#include "port/port.h"

enum { PROGRAMS = 1000, AT_ONCE = 8, FUNCTIONS = 48, STATEMENTS = 6, DEPTH = 6, WORDS = 4000 };

typedef enum { YIELD, CALL, DEFER, DEFER_RECOVER, RECOVER, PANIC, PANIC_AGAIN, GOEXIT } verb;

typedef struct {
  verb what;
  int way;                 // of deferring
  struct function *callee; // of CALL and DEFER
} statement;

typedef struct function {
  int number;
  int form; // of its scope
  int count;
  statement does[STATEMENTS];
} function;

typedef struct {
  function functions[FUNCTIONS];
  int count;
  bw__rand rand;
  int said[2][WORDS]; // by the library, by the model
  int len[2];
  bw_chan *done;
} program;

static void note(program *p, int who, int word) {
  CHECK(p->len[who] < WORDS);
  p->said[who][p->len[who]++] = word;
}

// Words: a function's number; VALUE + n: recovered n; NIL: recovered nothing; ...
enum { VALUE = 1000, NIL = -1, RETURNED = -2, ENDED = -3 };

// ---- programs -----------------------------------------------------------------------------------

static int below(program *p, uint32_t n) { return (int)bw__rand_below(&p->rand, n); }

static function *make(program *p, int depth, bool deferred) {
  if (p->count == FUNCTIONS) return NULL;
  function *f = &p->functions[p->count];
  *f = (function){.number = p->count++, .form = below(p, 3)};
  int statements = below(p, STATEMENTS + 1);
  for (int i = 0; i < statements; i++) {
    static const verb kinds[] = {YIELD,       CALL,   CALL,    DEFER,        DEFER,
                                 DEFER,       DEFER,  RECOVER, RECOVER,      PANIC,
                                 PANIC_AGAIN, GOEXIT, DEFER,   DEFER_RECOVER};
    statement s = {.what = kinds[below(p, sizeof kinds / sizeof *kinds)], .way = below(p, 6)};
    if (s.what == GOEXIT && below(p, 2)) s.what = PANIC;
    if (!deferred && (s.what == RECOVER || s.what == DEFER_RECOVER || s.what == PANIC_AGAIN))
      s.what = DEFER;
    if (s.what == CALL || s.what == DEFER) {
      s.callee = depth > 0 ? make(p, depth - 1, s.what == DEFER) : NULL;
      if (!s.callee) s.what = YIELD;
    }
    f->does[f->count++] = s;
  }
  return f;
}

// ---- the library --------------------------------------------------------------------------------

typedef struct {
  program *p;
  const function *f;
} call;

static void write_value(void *value, char *text, size_t room) {
  snprintf(text, room, "%d", *(int *)value);
}

static void recovered(program *p, const bw_panic_info *info) {
  note(p, 0, info ? VALUE + ((const function *)info->value)->number : NIL);
}

static void run_deferred(void *arg, bw_panicking *panicking);
static void run_called(program *p, const function *f);

// What the three forms of scopes have in common.
#define DO_STATEMENTS                                                                              \
  note(p, 0, f->number);                                                                           \
  for (int i = 0; i < f->count; i++) {                                                             \
    const statement *s = &f->does[i];                                                              \
    switch (s->what) {                                                                             \
    case YIELD: bw_gosched(); break;                                                               \
    case CALL: run_called(p, s->callee); break;                                                    \
    case DEFER: {                                                                                  \
      call *c = &calls[i];                                                                         \
      *c = (call){p, s->callee};                                                                   \
      switch (s->way) {                                                                            \
      case 0: BW_DEFER_COPY(run_deferred, *c); break;                                              \
      case 1: BW_DEFER(run_deferred, c); break;                                                    \
      case 2: BW_DEFER(run_deferred, c); break;                                                    \
      case 3: BW_DEFER(run_deferred, c); break;                                                    \
      default: BW_DEFER(run_deferred, c); break;                                                   \
      }                                                                                            \
      break;                                                                                       \
    }                                                                                              \
    case DEFER_RECOVER: BW_DEFER_RECOVER(panicking); break;                                        \
    case RECOVER: recovered(p, bw_recover(panicking)); break;                                      \
    case PANIC: bw_panic_value((void *)f, write_value);                                            \
    case PANIC_AGAIN: {                                                                            \
      const bw_panic_info *info = bw_recover(panicking);                                           \
      recovered(p, info);                                                                          \
      if (info) bw_panic_again(info);                                                              \
      break;                                                                                       \
    }                                                                                              \
    case GOEXIT: bw_goexit();                                                                      \
    }                                                                                              \
  }

static void run_open(program *p, const function *f, bw_panicking *panicking) {
  call calls[STATEMENTS];
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  DO_STATEMENTS
}

static void run_stack(program *p, const function *f, bw_panicking *panicking) {
  call calls[STATEMENTS];
  BW_DEFER_SCOPE_FOR(12, 1);
  BW_ON_RECOVER() return;
  DO_STATEMENTS
}

static void run_heap(program *p, const function *f, bw_panicking *panicking) {
  call calls[STATEMENTS];
  BW_DEFER_SCOPE_FOR(1, 1);
  BW_ON_RECOVER() return;
  DO_STATEMENTS
}

static void run(program *p, const function *f, bw_panicking *panicking) {
  switch (f->form) {
  case 0: run_open(p, f, panicking); break;
  case 1: run_stack(p, f, panicking); break;
  default: run_heap(p, f, panicking); break;
  }
  note(p, 0, RETURNED);
}

static void run_deferred(void *arg, bw_panicking *panicking) {
  call c = *(call *)arg;
  run(c.p, c.f, panicking);
}

static void run_called(program *p, const function *f) { run(p, f, NULL); }

static void tell_done(void *arg) { bw_chan_send(((program *)arg)->done, NULL); }

static void last_resort(void *arg, bw_panicking *panicking) {
  const bw_panic_info *info = bw_recover(panicking);
  if (info) recovered(arg, info);
}

static void run_program(void *arg) {
  program *p = arg;
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return;
  BW_DEFER(tell_done, p);
  BW_DEFER(last_resort, p);
  run_called(p, p->functions);
  note(p, 0, ENDED);
}

// ---- the model ----------------------------------------------------------------------------------

typedef struct {
  int value;
  bool recovered;
} panic;

// How a call ends. `exiting`: a Goexit is under way, whatever panics there are on top of it.
typedef struct {
  panic *panic;
  bool exiting;
} outcome;

static panic *new_panic(int value) {
  static panic all[1 << 16];
  static int used;
  panic *p = &all[used++ % (1 << 16)];
  *p = (panic){value, false};
  return p;
}

static bool ends(outcome o) { return o.panic || o.exiting; }

static int model_recover(panic *now) {
  if (!now || now->recovered) return NIL;
  now->recovered = true;
  return VALUE + now->value;
}

static outcome model(program *p, const function *f, panic *now) {
  const statement *deferred[STATEMENTS];
  int n = 0;
  outcome o = {NULL, false};
  note(p, 1, f->number);
  for (int i = 0; i < f->count && !ends(o); i++) {
    const statement *s = &f->does[i];
    switch (s->what) {
    case YIELD: break;
    case CALL: o = model(p, s->callee, NULL); break;
    case DEFER:
    case DEFER_RECOVER: deferred[n++] = s; break;
    case RECOVER: note(p, 1, model_recover(now)); break;
    case PANIC: o.panic = new_panic(f->number); break;
    case PANIC_AGAIN: {
      int value = model_recover(now);
      note(p, 1, value);
      if (value != NIL) o.panic = new_panic(value - VALUE);
      break;
    }
    case GOEXIT: o.exiting = true; break;
    }
  }
  while (n > 0) {
    const statement *s = deferred[--n];
    if (s->what == DEFER_RECOVER) {
      if (!o.panic) (void)model_recover(now);
      continue;
    }
    outcome d = model(p, s->callee, o.panic);
    if (ends(d)) { // replaces the panic; ends it, if it is a Goexit
      o.panic = d.panic;
      o.exiting |= d.exiting;
    } else if (o.panic && o.panic->recovered) {
      o.panic = NULL;
    }
  }
  if (!ends(o)) note(p, 1, RETURNED);
  return o;
}

static void model_program(program *p) {
  outcome o = model(p, p->functions, NULL);
  if (o.panic)
    note(p, 1, VALUE + o.panic->value);
  else if (!o.exiting)
    note(p, 1, ENDED);
}

// ---- both ---------------------------------------------------------------------------------------

static void print_program(const program *p) {
  static const char *const verbs[] = {"yield",   "call",  "defer",       "defer recover",
                                      "recover", "panic", "panic again", "goexit"};
  for (int i = 0; i < p->count; i++) {
    const function *f = &p->functions[i];
    printf("%d (form %d):", i, f->form);
    for (int j = 0; j < f->count; j++) {
      printf(" %s", verbs[f->does[j].what]);
      if (f->does[j].callee) printf(" %d", f->does[j].callee->number);
    }
    printf("\n");
  }
  for (int who = 0; who < 2; who++) {
    printf("%s:", who ? "model" : "library");
    for (int i = 0; i < p->len[who]; i++) printf(" %d", p->said[who][i]);
    printf("\n");
  }
}

static void compare(program *p, uint64_t seed) {
  model_program(p);
  if (p->len[0] == p->len[1] &&
      memcmp(p->said[0], p->said[1], sizeof(int) * (size_t)p->len[0]) == 0)
    return;
  print_program(p);
  test_fail(__FILE__, __LINE__, "BURROW_STRESS_SEED=%llu", (unsigned long long)seed);
}

static int run_all(void *arg) {
  program *programs = arg;
  const char *text = bw__port_env("BURROW_STRESS_SEED");
  uint64_t seed = text ? strtoull(text, NULL, 10) : 1;
  bw_go_options o = {.stack_size = 128 << 10};
  bw_chan *done = bw_chan_make(0, 0);
  int words = 0, longest = 0;
  for (int round = 0; round < PROGRAMS / AT_ONCE; round++, seed += AT_ONCE) {
    for (int i = 0; i < AT_ONCE; i++) {
      program *p = &programs[i];
      p->count = p->len[0] = p->len[1] = 0;
      p->rand = (bw__rand){seed + (uint64_t)i};
      p->done = done;
      make(p, DEPTH, false);
      CHECK_EQ(bw_go_with(&o, run_program, p), 0);
    }
    for (int i = 0; i < AT_ONCE; i++) bw_chan_recv(done, NULL);
    while (bw_num_goroutine() > 1) bw_gosched();
    for (int i = 0; i < AT_ONCE; i++) {
      compare(&programs[i], seed + (uint64_t)i);
      words += programs[i].len[0];
      if (programs[i].len[0] > longest) longest = programs[i].len[0];
    }
  }
  bw_chan_release(done);
  CHECK(words > 10 * PROGRAMS); // they are no trivial programs
  printf("%d words, %d in the longest program\n", words, longest);
  return 0;
}

TEST(defer_random_programs) {
  program *programs = calloc(AT_ONCE, sizeof *programs);
  CHECK(programs != NULL);
  test_run(run_all, programs, 4);
  free(programs);
}
