// The watch's records: one a lock, in a hash table by address; one a holder. See lockwatch.h.
#include "sync/lockwatch.h"

#include "lock/mutex.h"
#include "port/port.h"
#include "sched/dump.h"

#include <burrow/alloc.h>
#include <burrow/go.h>
#include <burrow/mutex.h>

enum { BUCKETS = 1024, OWNERS = 64, REPORT = 1024 };

static struct {
  bw__mutex lock;
  bw__lock_record *bucket[BUCKETS]; // under lock
  bw__list owner[OWNERS];           // of holders; next == NULL: not used yet: under lock
} watch = {.lock = BW_MUTEX_INIT(BW_RANK_LOCK_WATCH)};

void bw__lock_watch_lock(void) {
  bw__mutex_lock(&watch.lock);
  bw__port_mem_sync();
}

bool bw__lock_watch_trylock(void) {
  if (!bw__mutex_trylock(&watch.lock)) return false;
  bw__port_mem_sync();
  return true;
}

void bw__lock_watch_unlock(void) { bw__mutex_unlock(&watch.lock); }

// ---- records ------------------------------------------------------------------------------------

static size_t bucket_of(const void *lock) {
  return (size_t)(((uint64_t)(uintptr_t)lock >> 2) * UINT64_C(0x9e3779b97f4a7c15) >> 54);
}

bw__lock_record *bw__lock_find_locked(const void *lock) {
  bw__lock_record *r = watch.bucket[bucket_of(lock)];
  while (r && r->info.lock != lock) r = r->next;
  return r;
}

// NULL: no memory.
static bw__lock_record *find_or_make_locked(const void *lock) {
  bw__lock_record *r = bw__lock_find_locked(lock);
  if (r || !(r = bw_calloc(1, sizeof *r))) return r;
  bw__dump_hooks(bw__lock_describe, bw__lock_dump_held);
  bw__lock_record **bucket = &watch.bucket[bucket_of(lock)];
  r->info.lock = lock;
  bw__list_init(&r->holders);
  r->next = *bucket;
  *bucket = r;
  return r;
}

static bw__lock_record *first_from(size_t bucket) {
  while (bucket < BUCKETS && !watch.bucket[bucket]) bucket++;
  return bucket < BUCKETS ? watch.bucket[bucket] : NULL;
}

bw__lock_record *bw__lock_first_locked(void) { return first_from(0); }

bw__lock_record *bw__lock_after_locked(const bw__lock_record *r) {
  return r->next ? r->next : first_from(bucket_of(r->info.lock) + 1);
}

static void drop_holder_locked(bw__lock_holder *h) {
  bw__list_remove(&h->of_lock);
  bw__list_remove(&h->of_owner);
  bw_free(h);
}

static void drop_holders_locked(bw__lock_record *r) {
  while (!bw__list_empty(&r->holders))
    drop_holder_locked(BW_CONTAINER(r->holders.next, bw__lock_holder, of_lock));
}

static void drop_locked(bw__lock_record *r) {
  bw__lock_record **at = &watch.bucket[bucket_of(r->info.lock)];
  while (*at != r) at = &(*at)->next;
  *at = r->next;
  drop_holders_locked(r);
  bw__lock_order_forget_locked(r);
  bw_free(r);
}

// ---- owners -------------------------------------------------------------------------------------

enum { PLAIN_THREAD = 1 }; // the lowest bit of an owner that is none of ours

// Numbers are never given twice, as addresses are. Out of line: see current.c.
static BW_NOINLINE uint64_t this_thread(void) {
  static _Atomic(uint64_t) last;
  static _Thread_local uint64_t number;
  if (number == 0) number = bw__add_relaxed(&last, 1) + 1;
  return number << 1 | PLAIN_THREAD;
}

static uint64_t this_owner(void) {
  uint64_t id = bw_goid();
  return id ? id << 1 : this_thread();
}

static uint64_t goroutine_of(uint64_t owner) { return owner & PLAIN_THREAD ? 0 : owner >> 1; }

static bw__list *held_by_locked(uint64_t owner) {
  bw__list *l = &watch.owner[(owner ^ owner >> 7) % OWNERS];
  if (!l->next) bw__list_init(l);
  return l;
}

void bw__lock_add_owner(bw__text *t, uint64_t owner) {
  if (goroutine_of(owner))
    bw__text_format(t, "goroutine %llu", (unsigned long long)goroutine_of(owner));
  else
    bw__text_format(t, "a plain thread");
}

// ---- hooks --------------------------------------------------------------------------------------

static void write_report(bw__text *t) { bw__port_write(2, t->data, t->len); }

static void report_again(bw__text *t, const bw__lock_holder *h, const char *place) {
  bw__text_format(t, "burrow: ");
  bw__lock_add_owner(t, h->owner);
  bw__text_format(t, " wants ");
  bw__lock_add_name(t, h->record);
  bw__text_format(t, " at %s, and holds it already, taken at %s\n", place, h->place);
}

// True: *t is to be written.
static bool check_order_locked(uint64_t owner, bw__lock_record *r, const char *place, bw__text *t) {
  bw__list *held = held_by_locked(owner);
  bool found = false;
  for (bw__list *l = held->next; l != held; l = l->next) {
    bw__lock_holder *h = BW_CONTAINER(l, bw__lock_holder, of_owner);
    if (h->owner != owner) continue;
    if (h->record != r) {
      found |= bw__lock_order_locked(h, r, place, t);
    } else {
      report_again(t, h, place);
      found = true;
    }
  }
  return found;
}

void bw__lock_wanted(const void *lock, bw__lock_kind kind, const char *place) {
  char buffer[REPORT];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  uint64_t owner = this_owner();
  bw__lock_watch_lock();
  bw__lock_record *r = find_or_make_locked(lock);
  bool found = r && check_order_locked(owner, r, place, &t);
  if (r) r->kind = kind;
  bw__lock_watch_unlock();
  if (found) write_report(&t);
}

static void count_locked(bw_lock_info *i, const char *place, int64_t waited_ns) {
  i->taken++;
  if (waited_ns < 0) return;
  i->waited++;
  i->wait_ns += waited_ns;
  if (waited_ns < i->longest_wait_ns) return;
  i->longest_wait_ns = waited_ns;
  i->waited_most_at = place;
}

void bw__lock_got(const void *lock, bw__lock_kind kind, bool reads, const char *place,
                  int64_t waited_ns) {
  uint64_t owner = this_owner();
  int64_t now = bw__port_now();
  bw__lock_watch_lock();
  bool watched = __atomic_load_n(&bw__locks_watched, __ATOMIC_RELAXED); // off drops holders after
  bw__lock_record *r = find_or_make_locked(lock);
  bw__lock_holder *h = r && watched ? bw_malloc(sizeof *h) : NULL;
  if (r) {
    r->kind = kind;
    count_locked(&r->info, place, waited_ns);
  }
  if (h) {
    *h = (bw__lock_holder){
        .record = r, .owner = owner, .reads = reads, .place = place, .since = now};
    bw__list_push_back(&r->holders, &h->of_lock);
    bw__list_push_front(held_by_locked(owner), &h->of_owner);
  }
  bw__lock_watch_unlock();
}

// The caller's own if it has one, else anybody's: a lock may be given back by another than took it.
static bw__lock_holder *holder_locked(bw__lock_record *r, uint64_t owner, bool reads) {
  bw__lock_holder *any = NULL;
  for (bw__list *l = r->holders.next; l != &r->holders; l = l->next) {
    bw__lock_holder *h = BW_CONTAINER(l, bw__lock_holder, of_lock);
    if (h->reads != reads) continue;
    if (h->owner == owner) return h;
    if (!any) any = h;
  }
  return any;
}

void bw__lock_gave(const void *lock, bool reads) {
  uint64_t owner = this_owner();
  int64_t now = bw__port_now();
  bw__lock_watch_lock();
  bw__lock_record *r = bw__lock_find_locked(lock);
  bw__lock_holder *h = r ? holder_locked(r, owner, reads) : NULL;
  if (h) {
    bw_lock_info *i = &r->info;
    int64_t ns = now - h->since;
    i->hold_ns += ns;
    if (ns >= i->longest_hold_ns) {
      i->longest_hold_ns = ns;
      i->held_most_at = h->place;
    }
    drop_holder_locked(h);
  }
  bw__lock_watch_unlock();
}

static void drop_goroutines_locked(bw__lock_record *r) {
  for (bw__list *l = r->holders.next, *next; l != &r->holders; l = next) {
    bw__lock_holder *h = BW_CONTAINER(l, bw__lock_holder, of_lock);
    next = l->next;
    if (goroutine_of(h->owner)) drop_holder_locked(h);
  }
}

void bw__lock_watch_end_run(void) {
  bw__lock_watch_lock();
  for (bw__lock_record *r = bw__lock_first_locked(); r; r = bw__lock_after_locked(r))
    drop_goroutines_locked(r);
  bw__lock_watch_unlock();
}

// ---- the public face ----------------------------------------------------------------------------

bool bw_locks_watch(bool on) {
  int was = __atomic_exchange_n(&bw__locks_watched, on, __ATOMIC_RELAXED);
  bw__lock_watch_lock();
  if (!on) {
    for (bw__lock_record *r = bw__lock_first_locked(); r; r = bw__lock_after_locked(r))
      drop_holders_locked(r);
  }
  bw__lock_watch_unlock();
  return was != 0;
}

int bw_lock_name(const void *lock, const char *name) {
  bw__lock_watch_lock();
  bw__lock_record *r = name ? find_or_make_locked(lock) : bw__lock_find_locked(lock);
  if (r) {
    bw__text t = bw__text_on(r->info.name, sizeof r->info.name);
    bw__text_format(&t, "%s", name ? name : "");
  }
  bw__lock_watch_unlock();
  return r || !name ? 0 : BW_ENOMEM;
}

void bw_lock_forget(const void *lock) {
  bw__lock_watch_lock();
  bw__lock_record *r = bw__lock_find_locked(lock);
  if (r) drop_locked(r);
  bw__lock_watch_unlock();
}
