// The table of records: buckets of linked records by a hash of the address, doubled when there are
// more records than buckets. Records and tables are the allocator's own memory (pageheap_record),
// which is never given back: records are used again, an outgrown table is lost. When there is no
// memory for a larger table the old one goes on, with longer buckets; when the system has none for
// records, what the plain allocator still has will do, and is counted as the program's.
#include "alloc/debug/objects.h"

#include "alloc/debug/plain.h"
#include "alloc/fork.h"
#include "alloc/pageheap.h"
#include "port/port.h"

#define BUCKETS_LEAST 1024
#define RECORDS       32 // made at a time

bw__mutex bw__debug_mu = BW_MUTEX_INIT(BW_RANK_ALLOC_DEBUG);

static struct {
  bw__debug_object **buckets;
  size_t mask, count;
  bw__debug_object *unused; // linked by next
} table;                    // under bw__debug_mu

void bw__debug_lock(void) {
  bw__mutex_lock(&bw__debug_mu);
  bw__port_mem_sync();
}

void bw__debug_unlock(void) { bw__mutex_unlock(&bw__debug_mu); }

static size_t bucket_of(const void *user) {
  return (size_t)(((uint64_t)(uintptr_t)user >> 4) * 0x9e3779b97f4a7c15u >> 32) & table.mask;
}

bw__debug_object *bw__debug_find(const void *user) {
  if (!table.buckets) return NULL;
  bw__debug_object *o = table.buckets[bucket_of(user)];
  while (o && o->user != user) o = o->next;
  return o;
}

bw__debug_object *bw__debug_next(const bw__debug_object *o) {
  if (o && o->next) return o->next;
  if (!table.buckets) return NULL;
  for (size_t i = o ? bucket_of(o->user) + 1 : 0; i <= table.mask; i++)
    if (table.buckets[i]) return table.buckets[i];
  return NULL;
}

bw__debug_object *bw__debug_containing(uintptr_t address) {
  bw__debug_object *o = bw__debug_next(NULL);
  while (o && address - (uintptr_t)o->base >= bw__debug_bytes(o)) o = bw__debug_next(o);
  return o;
}

// ---- room --------------------------------------------------------------------------------------

static void put_in_bucket(bw__debug_object *o) {
  bw__debug_object **bucket = &table.buckets[bucket_of(o->user)];
  o->next = *bucket;
  *bucket = o;
}

// Twice the buckets, or the first ones. False: no memory, nothing changed.
static bool enlarge(void) {
  size_t old_count = table.buckets ? table.mask + 1 : 0;
  size_t new_count = old_count ? 2 * old_count : BUCKETS_LEAST;
  bw__debug_object **old = table.buckets;
  bw__debug_object **buckets = bw__pageheap_record(new_count * sizeof(bw__debug_object *));
  bw__port_mem_sync();
  if (!buckets) return false;
  table.buckets = buckets;
  table.mask = new_count - 1;
  for (size_t i = 0; i < old_count; i++) {
    for (bw__debug_object *o = old[i], *next; o; o = next) {
      next = o->next;
      put_in_bucket(o);
    }
  }
  return true;
}

static bw__debug_object *take_unused(void) {
  if (!table.unused) {
    bw__debug_object *records = bw__pageheap_record(RECORDS * sizeof *records);
    if (!records) records = bw__plain_malloc(RECORDS * sizeof *records);
    bw__port_mem_sync();
    if (!records) return NULL;
    for (int i = 0; i < RECORDS; i++) {
      records[i].next = table.unused;
      table.unused = &records[i];
    }
  }
  bw__debug_object *o = table.unused;
  table.unused = o->next;
  return o;
}

bw__debug_object *bw__debug_insert(const bw__debug_object *o) {
  if ((!table.buckets || table.count > table.mask) && !enlarge() && !table.buckets) return NULL;
  bw__debug_object *record = take_unused();
  if (!record) return NULL;
  *record = *o;
  put_in_bucket(record);
  table.count++;
  return record;
}

void bw__debug_remove(bw__debug_object *o) {
  bw__debug_object **at = &table.buckets[bucket_of(o->user)];
  while (*at != o) at = &(*at)->next;
  *at = o->next;
  o->next = table.unused;
  table.unused = o;
  table.count--;
}

void bw__debug_fork_before(void) { bw__mutex_lock_unranked(&bw__debug_mu); }
void bw__debug_fork_after(void) { bw__mutex_unlock_unranked(&bw__debug_mu); }
