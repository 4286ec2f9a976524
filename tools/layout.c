// burrow-layout: prints how some structs of the runtime lie in memory, and what a better order
// would save.
//
//   burrow-layout             all of them
//   burrow-layout bw__p       one
#include <burrow/layout.h>
#include <burrow/slice.h>
#include <stdio.h>
#include <string.h>

#include "comm/chan_state.h"
#include "sched/sched.h"

enum { FIELDS_MAX = 48 };

#define F(member) BW_LAYOUT_FIELD(T, member)

#define T bw_slice
static const bw_layout_field slice[] = {F(ptr), F(len), F(cap)};
#undef T
#define T struct bw_chan
static const bw_layout_field chan[] = {F(lock),
                                       F(flags),
                                       F(elem_size),
                                       F(cap),
                                       F(count),
                                       F(recv_at),
                                       F(send_at),
                                       F(receivers),
                                       F(senders),
                                       F(refs),
                                       F(on_free),
                                       F(owner),
                                       {"ring", 0, 16, offsetof(T, ring), 0}};
#undef T
#define T bw__p
static const bw_layout_field p[] = {
    F(index),       F(chain_left), F(chain_looks), F(chain_looked), F(chain_ended), F(before_chain),
    F(free_gs),     F(spare_gs),   F(free_count),  F(free_hot),     F(cache),       F(next_id),
    F(end_id),      F(rand),       F(clock),       F(running),      F(holder),      F(runs),
    F(ends),        F(migrations), F(spawns),      F(parks),        F(yields),      F(sleeps),
    F(steals),      F(blocks),     F(q),           F(timers),       F(attention),   F(status),
    F(next_idle),   F(dead),       F(seen),        F(seen_at),      F(reported),    F(idle_at),
    F(trimmed_ends)};
#undef T
#define T bw__runq
static const bw_layout_field runq[] = {F(head), F(tail), F(next), F(solo), F(ring)};
#undef T
#define T bw__timers
static const bw_layout_field timers[] = {F(next), F(earlier), F(stopped), F(running),
                                         F(lock), F(heap),    F(spill),   F(marks)};
#undef T

#define STRUCT(type, fields)                                                                       \
  { #type, fields, sizeof fields / sizeof *fields, sizeof(type) }
static const struct {
  const char *name;
  const bw_layout_field *fields;
  int count;
  size_t size;
} structs[] = {STRUCT(bw_slice, slice), STRUCT(struct bw_chan, chan), STRUCT(bw__p, p),
               STRUCT(bw__runq, runq), STRUCT(bw__timers, timers)};

// False: the rules give another layout than the compiler's, or a member is missing in the table.
static bool print_struct(const char *name, const bw_layout_field *fields, int count, size_t size) {
  static char text[8192];
  bw_layout_field computed[FIELDS_MAX], best[FIELDS_MAX];
  memcpy(computed, fields, (size_t)count * sizeof *fields);
  bw_layout all = bw_layout_compute(computed, count);
  bw_layout_text(computed, count, all, BW_CACHE_LINE, text, sizeof text);
  printf("%s\n%s", name, text);
  size_t least = bw_layout_best(fields, count, best).size;
  if (least < all.size) printf("in the best order: size %zu\n", least);
  printf("\n");
  for (int i = 0; i < count; i++)
    if (computed[i].offset != fields[i].offset) return false;
  return all.size == size;
}

int main(int argc, char **argv) {
  bool found = false;
  for (size_t i = 0; i < sizeof structs / sizeof *structs; i++) {
    if (argc > 1 && strcmp(argv[1], structs[i].name) != 0) continue;
    found = true;
    if (!print_struct(structs[i].name, structs[i].fields, structs[i].count, structs[i].size)) {
      fprintf(stderr, "burrow-layout: %s lies otherwise\n", structs[i].name);
      return 1;
    }
  }
  if (found) return 0;
  fprintf(stderr, "usage: burrow-layout [bw_slice|struct bw_chan|bw__p|bw__runq|bw__timers]\n");
  return 2;
}
