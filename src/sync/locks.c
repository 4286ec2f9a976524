// What the watch knows, read out: the contention profile, and lines of dumps. See lockwatch.h.
#include "sync/lockwatch.h"

#include "port/port.h"

enum { PRINTED = 20, LINE = 256 };

static bw_lock_info info_locked(const bw__lock_record *r) {
  bw_lock_info i = r->info;
  i.kind = bw__lock_kind_text(r->kind);
  for (const bw__list *l = r->holders.next; l != &r->holders; l = l->next) i.holders++;
  if (i.holders > 0) {
    const bw__lock_holder *h = BW_CONTAINER(r->holders.next, bw__lock_holder, of_lock);
    i.owner = h->owner & 1 ? 0 : h->owner >> 1;
    i.held_at = h->place;
  }
  return i;
}

// Keeps out[] sorted, of no more than n.
static void insert(bw_lock_info *out, size_t used, size_t n, const bw_lock_info *i) {
  size_t at = used < n ? used : n;
  while (at > 0 && out[at - 1].wait_ns < i->wait_ns) at--;
  if (at == n) return;
  size_t moved = (used < n ? used : n - 1) - at;
  memmove(out + at + 1, out + at, moved * sizeof *out);
  out[at] = *i;
}

size_t bw_locks_read(bw_lock_info *out, size_t n) {
  size_t known = 0;
  bw__lock_watch_lock();
  for (bw__lock_record *r = bw__lock_first_locked(); r; r = bw__lock_after_locked(r)) {
    bw_lock_info i = info_locked(r);
    insert(out, known++, n, &i);
  }
  bw__lock_watch_unlock();
  return known;
}

static void print_line(const bw_lock_info *i) {
  char buffer[LINE];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%s %p", i->kind, (void *)(uintptr_t)i->lock);
  if (i->name[0]) bw__text_format(&t, " \"%s\"", i->name);
  bw__text_format(&t, ": taken %llu times, waited for %llu times, %lld us, longest %lld us",
                  (unsigned long long)i->taken, (unsigned long long)i->waited,
                  (long long)(i->wait_ns / 1000), (long long)(i->longest_wait_ns / 1000));
  if (i->waited_most_at) bw__text_format(&t, " at %s", i->waited_most_at);
  bw__text_format(&t, "; held %lld us, longest %lld us", (long long)(i->hold_ns / 1000),
                  (long long)(i->longest_hold_ns / 1000));
  if (i->held_most_at) bw__text_format(&t, " at %s", i->held_most_at);
  bw__text_format(&t, "\n");
  bw__port_write(2, t.data, t.len);
}

void bw_locks_print(void) {
  bw_lock_info worst[PRINTED];
  size_t known = bw_locks_read(worst, PRINTED);
  for (size_t i = 0; i < known && i < PRINTED; i++) print_line(&worst[i]);
}

static void add_holder_locked(bw__text *t, const bw__lock_record *r, int64_t now) {
  const bw__lock_holder *h = BW_CONTAINER(r->holders.next, bw__lock_holder, of_lock);
  bw__text_format(t, ", held for %lld ms by ", (long long)((now - h->since) / 1000000));
  bw__lock_add_owner(t, h->owner);
  bw__text_format(t, ", taken at %s", h->place);
  if (r->holders.next != r->holders.prev) bw__text_format(t, ", and by others");
}

// The dump may be that of a fatal error in the middle of anything: it waits for nobody.
void bw__lock_describe(bw__text *t, const void *lock) {
  if (!bw__lock_watch_trylock()) return;
  const bw__lock_record *r = bw__lock_find_locked(lock);
  if (r && r->info.name[0]) bw__text_format(t, " \"%s\"", r->info.name);
  if (r && !bw__list_empty(&r->holders)) add_holder_locked(t, r, bw__port_now());
  bw__lock_watch_unlock();
}

// Line by line, for the lock's sake.
static const bw__lock_record *next_held_locked(const bw__lock_record *r) {
  r = r ? bw__lock_after_locked(r) : bw__lock_first_locked();
  while (r && bw__list_empty(&r->holders)) r = bw__lock_after_locked(r);
  return r;
}

void bw__lock_dump_held(void) {
  char buffer[LINE];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  if (!bw__lock_watch_trylock()) return;
  const bw__lock_record *r = next_held_locked(NULL);
  if (r) bw__port_write(2, "\nlocks held:\n", 13);
  for (; r; r = next_held_locked(r)) {
    t.len = 0;
    bw__text_format(&t, "  ");
    bw__lock_add_name(&t, r);
    add_holder_locked(&t, r, bw__port_now());
    bw__text_format(&t, "\n");
    bw__port_write(2, t.data, t.len);
  }
  bw__lock_watch_unlock();
}
