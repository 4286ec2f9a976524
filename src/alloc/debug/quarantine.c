#include "alloc/debug/quarantine.h"

#include "alloc/debug/canary.h"
#include "alloc/debug/guard.h"
#include "alloc/debug/plain.h"
#include "alloc/debug/report.h"
#include "alloc/pagemap.h"

static struct {
  bw__debug_object *oldest, *newest;
  bw__quarantine_totals totals;
} quarantine; // under bw__debug_mu

static void count(const bw__debug_object *o, uint64_t n) {
  uint64_t bytes = n * bw__debug_bytes(o);
  quarantine.totals.objects += n;
  quarantine.totals.bytes += bytes;
  if (!bw__pagemap_tag((uintptr_t)o->base)) quarantine.totals.large_bytes += bytes;
}

void bw__quarantine_put(bw__debug_object *o) {
  o->newer = NULL;
  if (quarantine.newest)
    quarantine.newest->newer = o;
  else
    quarantine.oldest = o;
  quarantine.newest = o;
  count(o, 1);
}

bw__quarantine_totals bw__quarantine_read(void) { return quarantine.totals; }

static bw__debug_object take_oldest(void) {
  bw__debug_object *o = quarantine.oldest, copy = *o;
  quarantine.oldest = o->newer;
  if (!quarantine.oldest) quarantine.newest = NULL;
  count(o, (uint64_t)-1);
  bw__debug_remove(o);
  return copy;
}

static bool is_over(size_t limit) {
  bool only_one = quarantine.oldest == quarantine.newest;
  return quarantine.oldest && quarantine.totals.bytes > limit && (!only_one || limit == 0);
}

// What goes to the plain allocator is collected first and given without the lock: its way out may
// call the C library, which may allocate. The objects are linked through their first word, which is
// in front of what the program had.
void bw__quarantine_trim(size_t limit, const char *found_by) {
  void **leaving = NULL;
  bw__debug_lock();
  while (is_over(limit)) {
    bw__debug_object o = take_oldest();
    bw__damage d = bw__canary_damage(&o);
    if (d.found) {
      bw__debug_unlock();
      bw__report_damage(&o, d, found_by);
    }
    if (o.guarded && !bw__guard_open(&o)) continue;
    *(void **)o.base = leaving;
    leaving = (void **)o.base;
  }
  bw__debug_unlock();
  while (leaving) {
    void **next = *leaving;
    bw__plain_free(leaving);
    leaving = next;
  }
}
