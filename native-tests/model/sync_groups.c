// The programs of sync.c, in groups.
#include "groups.h"

#include <inttypes.h>
#include <stdio.h>

void explore_sync(const sync_program *p) {
  if (totals.failed) return;
  model_result r = sync_explore(p);
  totals_add(&r);
  if (r.failed) printf("  the program: %s\n", p->text);
  if (totals.long_form && r.executions > 100000)
    printf("  %s: %" PRIu64 "\n", p->text, r.executions);
}

// What follows it in a list is explored in the long form only.
#define LONG_FORM                                                                                  \
  { .text = NULL }

static void explore_syncs(const sync_program *list, size_t n) {
  for (size_t i = 0; i < n && (list[i].text || totals.long_form); i++)
    if (list[i].text) explore_sync(&list[i]);
}

void group_mutex(void) {
  static const sync_program list[] = {
      {.text = "ll | lt"},
      {.text = "l | L", .timeouts = 1},
      {.text = "L | L", .timeouts = 1},
      {.text = "gl | gL"},
      {.text = "L | gL", .timeouts = 1, .starves = true},
      {.text = "ll | L", .timeouts = 1, .starves = true},
      {.text = "l | l | l", .bound = 3},
      {.text = "l | l | L", .timeouts = 1, .starves = true, .bound = 3},
      {.text = "l | L | L", .timeouts = 1, .starves = true, .bound = 3},
      {.text = "gl | gL | gL", .starves = true, .bound = 1},
      {.text = "ll | l | L", .timeouts = 1, .starves = true, .bound = 4},
      LONG_FORM,
      {.text = "lll | LL", .timeouts = 1, .starves = true, .bound = 4},
      {.text = "l | L | L", .timeouts = 1, .starves = true, .bound = 4},
      {.text = "l | l | l"},
  };
  explore_syncs(list, sizeof list / sizeof *list);
}

void group_rwmutex(void) {
  static const sync_program list[] = {
      {.text = "rs | wv"},
      {.text = "w | W", .timeouts = 1},
      {.text = "wv | W", .timeouts = 1, .starves = true, .bound = 3},
      {.text = "R | W", .timeouts = 1},
      {.text = "gR | gW"},
      {.text = "r | w | w", .bound = 3},
      {.text = "w | w | w", .bound = 3},
      {.text = "wv | r | W", .timeouts = 1, .starves = true, .bound = 2},
      {.text = "w | vv | w", .starves = true, .bound = 2},
      {.text = "ww | w | r", .starves = true, .bound = 2},
      {.text = "w | w | W", .timeouts = 1, .starves = true, .bound = 3},
      {.text = "r | R | w", .timeouts = 1, .bound = 3},
      {.text = "r | r | W", .timeouts = 1, .bound = 3},
      {.text = "R | w | W", .timeouts = 1, .bound = 3},
      {.text = "rr | w | R", .timeouts = 1, .bound = 3},
      {.text = "ww | R | R", .timeouts = 1, .bound = 3},
      LONG_FORM,
      {.text = "gR | w | gR", .bound = 1},
      {.text = "r | w | w", .bound = 4},
      {.text = "ww | w | r", .starves = true, .bound = 3},
      {.text = "r | w | r"},
      {.text = "r | W | r", .timeouts = 1},
      {.text = "R | W | w", .timeouts = 1, .starves = true, .bound = 4},
      {.text = "ww | R | R", .timeouts = 1, .bound = 4},
  };
  explore_syncs(list, sizeof list / sizeof *list);
}

void group_sema(void) {
  static const sync_program list[] = {
      {.text = "a | a", .permits = 1, .left = 1},
      {.text = "ab | p", .left = 1},
      {.text = "A | p", .left = 1, .timeouts = 1},
      {.text = "gA | p", .left = 1},
      {.text = "gA | gp", .left = 1},
      {.text = "a | A | p", .left = 1, .timeouts = 1},
      {.text = "gA | A | p", .left = 1, .timeouts = 1},
      {.text = "ga | gA | q", .left = 2},
      {.text = "A | a | pp", .left = 2, .timeouts = 1, .bound = 3},
      LONG_FORM,
      {.text = "gA | gA | p", .left = 1},
      {.text = "aa | AA | p", .left = 1, .timeouts = 2, .bound = 3},
  };
  explore_syncs(list, sizeof list / sizeof *list);
}

void group_cond(void) {
  static const sync_program list[] = {
      {.text = "c | f"},
      {.text = "gc | gf"},
      {.text = "C | f", .timeouts = 1},
      {.text = "gC | d"},
      {.text = "c | C | e", .timeouts = 1, .bound = 2},
      {.text = "c | c | d", .bound = 2},
      {.text = "gc | c | e", .bound = 2},
      {.text = "c | c | d | l", .bound = 1},
      LONG_FORM,
      {.text = "c | c | d", .bound = 3},
      {.text = "gc | gc | e", .bound = 3},
      {.text = "c | C | d", .timeouts = 1, .starves = true, .bound = 3},
  };
  explore_syncs(list, sizeof list / sizeof *list);
}

void group_tickets(void) {
  static const sync_program list[] = {
      {.text = "x | x"},
      {.text = "X | l"},
      {.text = "o | l"},
      {.text = "oo | x", .bound = 3},
      {.text = "X | L | o", .timeouts = 1, .starves = true, .bound = 3},
      {.text = "y | z"},
      {.text = "Y | w"},
      {.text = "Z | w"},
      {.text = "Y | Y | r", .bound = 3},
      {.text = "Z | Y | w", .starves = true, .bound = 3},
      {.text = "i | I", .permits = 1, .left = 1},
      {.text = "I | A | p", .left = 1, .timeouts = 1, .bound = 3},
      {.text = "k | f"},
      {.text = "K | d"},
      {.text = "k | c | e", .bound = 2},
      {.text = "K | l | d", .bound = 2},
      LONG_FORM,
      {.text = "X | L | o", .timeouts = 1, .starves = true, .bound = 4},
      {.text = "Y | Y | r", .bound = 4},
      {.text = "Z | Y | w", .bound = 4},
      {.text = "k | c | e", .bound = 3},
  };
  explore_syncs(list, sizeof list / sizeof *list);
}
