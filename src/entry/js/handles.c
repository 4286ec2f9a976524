// One table under one lock. A handle is the slot's index (20 bits) and the slot's generation (11
// bits), which changes each time the slot is given up: a stale handle meets another generation,
// always, because a slot that has had them all is never used again (24 bytes lost every 2,047
// handles). Generations start at 1, so no handle is 0.
#include "entry/js/handles.h"

#include "lock/mutex.h"
#include "port/port.h"

#include <burrow/alloc.h>
#include <burrow/error.h>

enum { INDEX_BITS = 20, GENERATIONS = 1 << 11, FIRST_SLOTS = 64 };

typedef struct {
  void *object;
  bw__handle_kind kind;
  uint32_t generation;
  uint32_t next_free; // index + 1 while free; 0: last
} slot;

static struct {
  bw__mutex lock;
  slot *slots; // under lock, as all of it
  uint32_t count, cap;
  uint32_t first_free; // index + 1; 0: none
} table = {.lock = BW_MUTEX_INIT(BW_RANK_HANDLES)};

static slot *find_locked(int handle, bw__handle_kind kind) {
  uint32_t index = (uint32_t)handle & ((1u << INDEX_BITS) - 1);
  if (handle <= 0 || index >= table.count) return NULL;
  slot *s = &table.slots[index];
  return s->kind == kind && s->generation == (uint32_t)handle >> INDEX_BITS ? s : NULL;
}

static slot *free_slot_locked(void) {
  if (table.first_free) {
    slot *s = &table.slots[table.first_free - 1];
    table.first_free = s->next_free;
    return s;
  }
  if (table.count == table.cap) {
    uint32_t cap = table.cap ? table.cap * 2 : FIRST_SLOTS;
    if (cap > 1u << INDEX_BITS) return NULL;
    slot *slots = bw_realloc(table.slots, cap * sizeof *slots);
    if (!slots) return NULL;
    table.slots = slots;
    table.cap = cap;
  }
  slot *s = &table.slots[table.count++];
  s->generation = 1;
  return s;
}

static void lock(void) {
  bw__mutex_lock(&table.lock);
  bw__port_mem_sync(); // table and objects may lie in memory that another thread grew
}

int bw__handle_make(bw__handle_kind kind, void *object) {
  lock();
  slot *s = free_slot_locked();
  int handle = BW_ENOMEM;
  if (s) {
    s->object = object;
    s->kind = kind;
    handle = (int)(s->generation << INDEX_BITS | (uint32_t)(s - table.slots));
  }
  bw__mutex_unlock(&table.lock);
  return handle;
}

void *bw__handle_get(int handle, bw__handle_kind kind, void *(*retain)(void *)) {
  lock();
  slot *s = find_locked(handle, kind);
  void *object = s ? retain(s->object) : NULL;
  bw__mutex_unlock(&table.lock);
  return object;
}

void *bw__handle_take(int handle, bw__handle_kind kind) {
  lock();
  slot *s = find_locked(handle, kind);
  void *object = s ? s->object : NULL;
  if (s) {
    s->kind = BW_HANDLE_NONE;
    if (++s->generation < GENERATIONS) {
      s->next_free = table.first_free;
      table.first_free = (uint32_t)(s - table.slots) + 1;
    }
  }
  bw__mutex_unlock(&table.lock);
  return object;
}
