// Growth by realloc, many objects at once: vectors that grow by half up to 64 bytes to 4 MiB, and
// strings that are appended to and fit exactly, mostly up to 16 KiB, some in large steps to 1 MiB.
// One operation is one realloc; an object that has its full size is freed and begins anew.
#include "bench.h"

enum { VECTORS = 16, STRINGS = 240, OBJECTS = VECTORS + STRINGS };

typedef struct object {
  block b;
  uint32_t full, step; // step 0: a vector
} object;

static void begin(bench_worker *w, object *o, bool vector) {
  bool large = !vector && bench_below(w, 64) == 0;
  o->b = (block){0};
  o->full = vector  ? bench_log_uniform(w, 6, 22)
            : large ? bench_log_uniform(w, 17, 20)
                    : bench_log_uniform(w, 5, 14);
  o->step = vector ? 0 : large ? 16 * KIB : 64;
}

static void grow(bench_worker *w, object *o) {
  block *b = &o->b;
  uint32_t old = b->n, added = o->step ? 1 + bench_below(w, o->step) : old / 2 + 32;
  if (b->p)
    block_check(b);
  else
    b->tag = w->next_tag++;
  b->p = realloc(b->p, old + added);
  if (!b->p) bench_no_memory(old + added);
  if (old && (b->p[0] != b->tag || b->p[old - 1] != b->tag))
    bench_corrupt("block after realloc", b->p, old);
  b->n = old + added;
  block_touch(b, old);
  bench_live_add(w, added);
}

static void step(bench_worker *w, void *state, int64_t n) {
  object *objects = state;
  for (; n > 0; n--) {
    uint32_t i = bench_below(w, OBJECTS);
    object *o = &objects[i];
    if (o->b.n >= o->full) {
      block_free(w, &o->b);
      begin(w, o, i < VECTORS);
    }
    grow(w, o);
  }
}

BENCH(realloc, ON_MAIN) {
  object *objects = bench_table(w, OBJECTS, sizeof *objects);
  for (uint32_t i = 0; i < OBJECTS; i++) begin(w, &objects[i], i < VECTORS);
  bench_churn(w, 400000, step, objects);
  for (int i = 0; i < OBJECTS; i++) block_free(w, &objects[i].b);
  bench_table_free(w, objects, OBJECTS, sizeof *objects);
}
