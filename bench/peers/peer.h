// What the peers' programs share: they are called with a group's name (run.mjs has the groups) and
// print lines as burrow-bench does.
//
//   PROGRAM GROUP [DIVIDE]      DIVIDE: everything 1/DIVIDE as often, to try the program
//
// The results are those of P = 1, whatever the number of threads: "/p1" stands where a peer has no
// Ps. A benchmark that the peer cannot do prints its reason on stderr as "NAME/p1  skipped:
// REASON". A wrong sum ends the program with status 1, an unknown group with status 2.
#ifndef BURROW_PEER_H
#define BURROW_PEER_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t peer_divide = 1;

static inline int64_t bench_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t bench_count(int64_t full) {
  return full > peer_divide ? full / peer_divide : 1;
}

static inline void bench_result_as(const char *name, int64_t ops, int64_t ns) {
  double ns_per_op = (double)(ns < 1 ? 1 : ns) / (double)ops;
  printf("%s/p1  %.0f ops/s  %.2f ns/op\n", name, 1e9 / ns_per_op, ns_per_op);
  fflush(stdout);
}

static inline void bench_value(const char *name, double value, const char *unit) {
  printf("%s/p1  %.2f %s\n", name, value, unit);
  fflush(stdout);
}

static inline void bench_check(bool right, const char *what) {
  if (right) return;
  fprintf(stderr, "wrong: %s\n", what);
  exit(1);
}

typedef struct {
  const char *name;
  void (*run)(void);
} peer_group;

// Runs the group that argv names, out of `count`. The program's exit status.
static inline int peer_run(int argc, char **argv, const peer_group *groups, size_t count) {
  if (argc > 2) peer_divide = strtoll(argv[2], NULL, 10);
  for (size_t i = 0; argc > 1 && peer_divide >= 1 && i < count; i++)
    if (strcmp(argv[1], groups[i].name) == 0) return groups[i].run(), 0;
  fprintf(stderr, "usage: %s GROUP [DIVIDE], groups:", argv[0]);
  for (size_t i = 0; i < count; i++) fprintf(stderr, " %s", groups[i].name);
  fprintf(stderr, "\n");
  return 2;
}

#endif
