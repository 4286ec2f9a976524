// Calls of the same key share one execution.
//
// A *flight* is a call that is under way. It lies on the stack of its *pilot*, who makes it, and so
// do the places of those who wait for it on theirs: nothing is allocated. The pilot copies the
// result into each place's memory; so nobody looks at a flight that has ended.
//
//   F1  under `mu`: a flight is in the tree from its beginning until its end, or until it is
//       forgotten; its passengers are in its list until its end, or until they give up
//   F2  a passenger's `landed` is set, under mu, when it is off the list and will get its permit
//
// The tree is a search tree by (hash, size, key): hashes are random, so it is as deep as a random
// one. Locks: `mu`, which is not held while fn runs. Blocks: G, or M on a plain thread.
#include "base/list.h"
#include "base/rand.h"
#include "port/port.h"
#include "sync/once.h"

#include <burrow/context.h>
#include <burrow/defer.h>
#include <burrow/singleflight.h>
#include <string.h>

typedef struct {
  const void *key;
  size_t size;
  uint64_t hash;
} flight_key;

typedef struct bw__flight {
  bw_singleflight *group;
  flight_key key;                   // borrowed from the pilot's caller
  struct bw__flight *lower, *upper; // in the tree: under mu
  bool listed;                      // it is in the tree: under mu
  bool shared;                      // the pilot's
  bw__list passengers;              // under mu
  int code;                         // the pilot's, as all below
  void *result;
  bw__once_end end;
} flight;

typedef struct {
  bw__list link;  // in the flight's list: under mu
  bool landed;    // under mu
  bw_sema permit; // one, when all that follows is written
  void *result;
  int code;
  bw__once_end end;
} passenger;

// ---- keys ---------------------------------------------------------------------------------------

static flight_key key_of(const void *bytes, size_t size) {
  uint64_t hash = size;
  const unsigned char *at = bytes;
  for (size_t i = 0; i < size; i++) hash = (hash ^ at[i]) * UINT64_C(0x9e3779b97f4a7c15);
  return (flight_key){bytes, size, bw__rand_mix(hash)};
}

static int compare(const flight_key *a, const flight_key *b) {
  if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
  if (a->size != b->size) return a->size < b->size ? -1 : 1;
  return a->size == 0 ? 0 : memcmp(a->key, b->key, a->size);
}

// ---- the tree: under mu -------------------------------------------------------------------------

static flight **find(bw_singleflight *s, const flight_key *key) {
  flight **at = &s->calls;
  for (int order; *at && (order = compare(key, &(*at)->key)) != 0;)
    at = order < 0 ? &(*at)->lower : &(*at)->upper;
  return at;
}

// The next in order takes its place.
static void remove_at(flight **at) {
  flight *f = *at;
  f->listed = false;
  if (!f->lower || !f->upper) {
    *at = f->lower ? f->lower : f->upper;
    return;
  }
  flight **next = &f->upper;
  while ((*next)->lower) next = &(*next)->lower;
  flight *heir = *next;
  *next = heir->upper;
  heir->lower = f->lower;
  heir->upper = f->upper;
  *at = heir;
}

// ---- the pilot ----------------------------------------------------------------------------------

// Off the tree; its passengers, how many of them.
static size_t close_flight(flight *f, bw__list *passengers) {
  size_t n = 0;
  bw_mutex_lock(&f->group->mu);
  if (f->listed) remove_at(find(f->group, &f->key));
  bw__list_init(passengers);
  for (bw__list *link; (link = bw__list_pop_front(&f->passengers)); n++) {
    BW_CONTAINER(link, passenger, link)->landed = true;
    bw__list_push_back(passengers, link);
  }
  bw_mutex_unlock(&f->group->mu);
  return n;
}

static void let_out(const flight *f, passenger *p) {
  p->code = f->end.how == BW_END_EXITED ? BW_ECANCELED : f->code;
  p->end = f->end;
  if (f->end.how == BW_END_RETURNED && f->group->result_size > 0)
    memcpy(p->result, f->result, f->group->result_size);
  bw_sema_release(&p->permit, 1); // the last touch
}

// Deferred: whichever way fn is left.
static void land(void *arg, bw_panicking *panicking) {
  flight *f = arg;
  bw__list passengers;
  bw__once_note_panic(&f->end, panicking);
  size_t n = close_flight(f, &passengers);
  bw__port_mem_sync(); // they lie on stacks, which other threads may have got from the system
  f->shared = n > 0;
  if (n > 0 && f->group->share && f->end.how == BW_END_RETURNED) f->group->share(f->result, n);
  for (bw__list *link; (link = bw__list_pop_front(&passengers));)
    let_out(f, BW_CONTAINER(link, passenger, link));
}

static int fly(flight *f, int (*fn)(void *arg, void *result), void *arg) {
  f->end.how = BW_END_EXITED; // unless
  BW_DEFER_SCOPE;
  BW_ON_RECOVER() return BW_ESTATE; // nobody does
  BW_DEFER(land, f);
  f->code = fn(arg, f->result);
  f->end.how = BW_END_RETURNED;
  BW_DEFER_RETURN(f->code);
}

// ---- a passenger --------------------------------------------------------------------------------

// When a passenger gives up.
typedef struct {
  const int64_t *deadline; // NULL: none
  bw_context *ctx;         // NULL: none
} patience;

static int wait_for_permit(passenger *p, patience until) {
  if (until.ctx) return bw_sema_acquire_ctx(until.ctx, &p->permit);
  if (until.deadline) return bw_sema_acquire_until(&p->permit, *until.deadline);
  bw_sema_acquire(&p->permit);
  return 0;
}

// It gave up. True: there will be no permit.
static bool get_off(bw_singleflight *s, passenger *p) {
  bw_mutex_lock(&s->mu);
  bool off = !p->landed;
  if (off) bw__list_remove(&p->link);
  bw_mutex_unlock(&s->mu);
  return off;
}

// In the list; mu is released.
static int ride(bw_singleflight *s, passenger *p, patience until) {
  bw_mutex_unlock(&s->mu);
  int code = wait_for_permit(p, until);
  if (code != 0) {
    if (get_off(s, p)) return code;
    bw_sema_acquire(&p->permit);
  }
  bw__once_panic_likewise(&p->end);
  return p->code;
}

// ---- the public face ----------------------------------------------------------------------------

static int do_it(bw_singleflight *s, flight_key key, int (*fn)(void *, void *), void *arg,
                 void *result, bool *shared, patience until) {
  if (s->result_size > 0) memset(result, 0, s->result_size);
  bw_mutex_lock(&s->mu);
  flight **at = find(s, &key);
  if (*at) {
    passenger p = {.result = result};
    bw__list_push_back(&(*at)->passengers, &p.link);
    if (shared) *shared = true;
    return ride(s, &p, until);
  }
  flight f = {.group = s, .key = key, .listed = true, .result = result};
  bw__list_init(&f.passengers);
  *at = &f;
  bw_mutex_unlock(&s->mu);
  int code = fly(&f, fn, arg);
  if (shared) *shared = f.shared;
  return code;
}

int bw_singleflight_do(bw_singleflight *s, const void *key, size_t size,
                       int (*fn)(void *arg, void *result), void *arg, void *result, bool *shared) {
  return do_it(s, key_of(key, size), fn, arg, result, shared, (patience){NULL, NULL});
}

int bw_singleflight_do_until(bw_singleflight *s, const void *key, size_t size,
                             int (*fn)(void *arg, void *result), void *arg, void *result,
                             bool *shared, int64_t deadline) {
  return do_it(s, key_of(key, size), fn, arg, result, shared, (patience){&deadline, NULL});
}

int bw_singleflight_do_ctx(bw_context *ctx, bw_singleflight *s, const void *key, size_t size,
                           int (*fn)(void *arg, void *result), void *arg, void *result,
                           bool *shared) {
  return do_it(s, key_of(key, size), fn, arg, result, shared, (patience){NULL, ctx});
}

void bw_singleflight_forget(bw_singleflight *s, const void *key, size_t size) {
  flight_key k = key_of(key, size);
  bw_mutex_lock(&s->mu);
  flight **at = find(s, &k);
  if (*at) remove_at(at);
  bw_mutex_unlock(&s->mu);
}
