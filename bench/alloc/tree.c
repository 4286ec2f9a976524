// Binary trees, as in a program of the C++ kind: objects of one size, made and freed in bursts.
// While one tree of 65,535 nodes lives on, trees of 15 to 16,383 nodes are made, counted and freed.
// One operation is one node.
#include "bench.h"

enum { LONG_DEPTH = 16 };

typedef struct node {
  struct node *left, *right;
  uint32_t depth, check;
} node;

static node *make(bench_worker *w, uint32_t depth) {
  node *n = malloc(sizeof *n);
  if (!n) bench_no_memory(sizeof *n);
  *n = (node){NULL, NULL, depth, ~depth};
  bench_live_add(w, sizeof *n);
  if (depth > 1) {
    n->left = make(w, depth - 1);
    n->right = make(w, depth - 1);
  }
  return n;
}

// The nodes that were freed.
static int64_t free_tree(bench_worker *w, node *n, uint32_t depth) {
  if (!n) return 0;
  if (n->depth != depth || n->check != ~depth) bench_corrupt("node", n, sizeof *n);
  int64_t nodes = 1 + free_tree(w, n->left, depth - 1) + free_tree(w, n->right, depth - 1);
  free(n);
  w->live -= (int64_t)sizeof *n;
  return nodes;
}

static int64_t nodes_of(uint32_t depth) { return (INT64_C(1) << depth) - 1; }

// About `n` nodes: what one call makes too many, the next makes less.
static void step(bench_worker *w, void *state, int64_t n) {
  int64_t *left = state;
  for (*left += n; *left > 0;) {
    uint32_t depth = 4 + bench_below(w, 11);
    node *tree = make(w, depth);
    if (free_tree(w, tree, depth) != nodes_of(depth)) bench_corrupt("tree", NULL, sizeof(node));
    *left -= nodes_of(depth);
  }
}

BENCH(tree, ON_MAIN) {
  int64_t left = 0;
  node *keep = make(w, LONG_DEPTH);
  bench_churn(w, 20000000, step, &left);
  if (free_tree(w, keep, LONG_DEPTH) != nodes_of(LONG_DEPTH))
    bench_corrupt("tree", NULL, sizeof(node));
}
