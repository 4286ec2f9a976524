// The order of locks: a graph whose edges say "was held when that one was wanted", and the search
// for a way back, which makes a circle. See lockwatch.h.
#include "sync/lockwatch.h"

#include "base/atomics.h"

#include <burrow/alloc.h>

static _Atomic(uint64_t) circles;
static uint64_t searches; // under the watch's lock

uint64_t bw_lock_circles(void) { return bw__load_relaxed(&circles); } // nothing hangs on it

const char *bw__lock_kind_text(bw__lock_kind kind) {
  static const char *const kinds[] = {"lock", "mutex", "rwmutex", "spin lock"};
  return kinds[kind];
}

void bw__lock_add_name(bw__text *t, const bw__lock_record *r) {
  const char *kind = bw__lock_kind_text(r->kind);
  if (r->info.name[0])
    bw__text_format(t, "%s \"%s\"", kind, r->info.name);
  else
    bw__text_format(t, "%s %p", kind, (void *)(uintptr_t)r->info.lock);
}

static bw__lock_edge *edge_between(const bw__lock_record *from, const bw__lock_record *to) {
  bw__lock_edge *e = from->edges;
  while (e && e->to != to) e = e->next;
  return e;
}

// Breadth first, so that the circle is a shortest one. True: `to` can be reached, and `from` of
// each record on the way is the one before it, by its `by`.
static bool search(bw__lock_record *from, bw__lock_record *to) {
  bw__lock_record *head = from, *last = from;
  searches++;
  from->seen = searches;
  from->queued = NULL;
  for (; head && head != to; head = head->queued) {
    for (bw__lock_edge *e = head->edges; e; e = e->next) {
      if (e->to->seen == searches) continue;
      e->to->seen = searches;
      e->to->from = head;
      e->to->by = e;
      e->to->queued = NULL;
      last->queued = e->to;
      last = e->to;
    }
  }
  return head == to;
}

static void tell_new(bw__text *t, const bw__lock_holder *h, const bw__lock_record *r,
                     const char *place) {
  bw__text_format(t, "burrow: locks are taken in a circle, which may deadlock:\n  ");
  bw__lock_add_owner(t, h->owner);
  bw__text_format(t, " wants ");
  bw__lock_add_name(t, r);
  bw__text_format(t, " at %s, and holds ", place);
  bw__lock_add_name(t, h->record);
  bw__text_format(t, ", taken at %s\n", h->place);
}

static void tell_old(bw__text *t, const bw__lock_record *from, const bw__lock_edge *e) {
  bw__text_format(t, "  earlier ");
  bw__lock_add_name(t, e->to);
  bw__text_format(t, " was wanted at %s by one that held ", e->wanted_at);
  bw__lock_add_name(t, from);
  bw__text_format(t, ", taken at %s\n", e->held_at);
}

bool bw__lock_order_locked(const bw__lock_holder *h, bw__lock_record *r, const char *place,
                           bw__text *t) {
  bw__lock_record *held = h->record;
  if (edge_between(held, r)) return false;
  bool circle = search(r, held);
  if (circle) {
    bw__add_relaxed(&circles, 1);
    tell_new(t, h, r, place);
    for (bw__lock_record *at = held; at != r; at = at->from) tell_old(t, at->from, at->by);
  }
  bw__lock_edge *e = bw_malloc(sizeof *e);
  if (e) {
    *e = (bw__lock_edge){held->edges, r, h->place, place};
    held->edges = e;
  }
  return circle;
}

static void drop_edges_to(bw__lock_record *from, const bw__lock_record *to) {
  for (bw__lock_edge **at = &from->edges, *e; (e = *at);) {
    if (to && e->to != to) {
      at = &e->next;
      continue;
    }
    *at = e->next;
    bw_free(e);
  }
}

void bw__lock_order_forget_locked(bw__lock_record *r) {
  drop_edges_to(r, NULL);
  for (bw__lock_record *o = bw__lock_first_locked(); o; o = bw__lock_after_locked(o))
    drop_edges_to(o, r);
}
