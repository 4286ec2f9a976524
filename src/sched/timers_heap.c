// A P's heap of timers: room for it, the way in and out, cleaning, and moving to another P.
//
// When the array cannot grow, timers go to a list that needs no memory (`spill`): nothing is ever
// refused. It is walked whenever timers run, which is slow and rare.
//
// Cleaning costs O(n) and is done when a quarter is stopped, so each stop pays for four entries at
// the most.
#include "sched/timers_heap.h"

#include "port/port.h"

#include <burrow/alloc.h>

enum { LEAST_ROOM = 64, LITTER_LEAST = 32 };

void bw__timers_init(bw__timers *ts) {
  memset(ts, 0, sizeof *ts);
  bw__store_relaxed(&ts->next, BW_NEVER);
  bw__store_relaxed(&ts->earlier, BW_NEVER);
  bw__mutex_init(&ts->lock, BW_RANK_TIMERS);
  bw__heap_init(&ts->heap);
}

void bw__timers_lock(bw__timers *ts) {
  bw__mutex_lock(&ts->lock);
  bw__port_mem_sync();
}

// ---- the way in and out -------------------------------------------------------------------------

static bool grow_locked(bw__timers *ts) {
  bw__heap *h = &ts->heap;
  uint32_t cap = h->cap ? h->cap * 2 : LEAST_ROOM;
  if (cap <= h->cap || cap > UINT32_MAX / 64) return false;
  void *block = bw_aligned_alloc(BW_CACHE_LINE, bw__heap_bytes(cap));
  if (!block) return false;
  bw_free(bw__heap_grow(h, block, cap));
  return true;
}

static bool make_room_locked(bw__timers *ts) {
  bw__heap *h = &ts->heap;
  if (BW_LIKELY(!bw__heap_full(h))) return true;
  if (h->len >= LITTER_LEAST && bw__timers_littered_locked(ts)) bw__timers_clean_locked(ts);
  return !bw__heap_full(h) || grow_locked(ts);
}

void bw__timers_put_locked(bw__timers *ts, bw__timer *t, int64_t key) {
  bool room = make_room_locked(ts);
  uint32_t slot = room ? bw__heap_push(&ts->heap, key, t) : BW_HEAP_NO_SLOT;
  if (!room) {
    t->spilled = ts->spill;
    ts->spill = t;
  }
  bw__store_relaxed(&t->home, ts); // published by the store of `when` that ends BUSY
  bw__store_relaxed(&t->slot, slot);
  bw__store_relaxed(&t->key, key);
}

static void unlink_spilled_locked(bw__timers *ts, bw__timer *t) {
  bw__timer **at = &ts->spill;
  while (*at != t) at = &(*at)->spilled;
  *at = t->spilled;
}

void bw__timers_take_locked(bw__timers *ts, bw__timer *t) {
  uint32_t slot = bw__load_relaxed(&t->slot); // written under this lock
  if (slot == BW_HEAP_NO_SLOT)
    unlink_spilled_locked(ts, t);
  else
    bw__heap_remove(&ts->heap, slot);
}

void bw__timers_unspill_locked(bw__timers *ts) {
  while (ts->spill && make_room_locked(ts)) {
    bw__timer *t = ts->spill;
    ts->spill = t->spilled;
    bw__timers_put_locked(ts, t, bw__load_relaxed(&t->key));
    bw__store(&t->slot, bw__load_relaxed(&t->slot)); // R1
    bw__heap_rekey(&ts->heap, bw__load_relaxed(&t->slot),
                   bw__timers_new_key(t, bw__load_relaxed(&t->key)));
  }
}

// ---- keys ---------------------------------------------------------------------------------------

int64_t bw__timers_new_key(bw__timer *t, int64_t when) {
  for (;;) {
    bw__store(&t->key, when);
    int64_t w = bw__load(&t->when);
    if (w < 0 || w >= when) return when;
    when = w;
  }
}

// The least due time of the spilled, or NEVER.
static int64_t spill_min_locked(const bw__timers *ts) {
  int64_t least = BW_NEVER;
  for (bw__timer *t = ts->spill; t; t = t->spilled) {
    int64_t key = bw__load_relaxed(&t->key); // written under this lock
    if (key < least) least = key;
  }
  return least;
}

void bw__timers_publish_locked(bw__timers *ts) {
  int64_t next = bw__heap_min_key(&ts->heap);
  if (BW_UNLIKELY(ts->spill)) {
    int64_t spilled = spill_min_locked(ts);
    if (spilled < next) next = spilled;
  }
  if (next != bw__load_relaxed(&ts->next)) bw__store(&ts->next, next);
}

// True: STOPPED, and FREE from here on: the caller must not touch it again.
static bool freed_if_stopped(bw__timer *t) {
  int64_t w = bw__load_relaxed(&t->when); // the cas looks again
  return w == BW_TIMER_STOPPED && bw__cas(&t->when, &w, BW_TIMER_FREE);
}

// Entries keep their order in the array, whose gaps are closed; then it is made a heap again.
void bw__timers_clean_locked(bw__timers *ts) {
  bw__heap *h = &ts->heap;
  bw__store_relaxed(&ts->stopped, 0); // before looking: a stop meanwhile counts for the next time
  uint32_t kept = 0, len = h->len;
  for (uint32_t i = 0; i < len; i++) {
    bw__heap_entry e = h->at[i];
    bw__timer *t = h->item[e.slot];
    if (freed_if_stopped(t)) {
      h->item[e.slot] = NULL;
      h->place[e.slot] = h->free;
      h->free = e.slot;
      continue;
    }
    int64_t w = bw__load(&t->when);
    if (w >= 0 && w != e.key) e.key = bw__timers_new_key(t, w);
    bw__heap_put(h, kept++, e);
  }
  h->len = kept;
  bw__heap_order(h);
}

// ---- tear-down, move ----------------------------------------------------------------------------

static void set_free(bw__timer *t) {
  bw__store_relaxed(&t->home, NULL); // no thread but this one is left
  bw__store_relaxed(&t->when, BW_TIMER_FREE);
  if (t->let_go) t->fn(t, BW_NEVER);
}

void bw__timers_destroy(bw__timers *ts) {
  bw__heap *h = &ts->heap;
  for (uint32_t i = 0; i < h->len; i++) set_free(h->item[h->at[i].slot]);
  while (ts->spill) {
    bw__timer *t = ts->spill;
    ts->spill = t->spilled;
    set_free(t);
  }
  bw_free(h->block);
  bw__timers_init(ts);
}

// `when` stays as it is, so that starts and stops go on meanwhile. The stores once more: R1 must be
// sequentially consistent.
static void move_one_locked(bw__timers *from, bw__timers *to, bw__timer *t) {
  int64_t key = bw__load_relaxed(&t->key); // written under `from`'s lock
  bw__timers_take_locked(from, t);
  if (freed_if_stopped(t)) return;
  bw__timers_put_locked(to, t, key);
  uint32_t slot = bw__load_relaxed(&t->slot); // just written
  bw__store(&t->home, to);
  bw__store(&t->slot, slot);
  int64_t true_key = bw__timers_new_key(t, key);
  if (true_key != key && slot != BW_HEAP_NO_SLOT) bw__heap_rekey(&to->heap, slot, true_key);
}

// Two locks of one rank, lower address first; nobody else takes two. With `running` held none of
// these timers is in flight.
void bw__timers_move(bw__timers *from, bw__timers *to) {
  while (bw__swap_acquire(&from->running, true))
    bw__port_thread_yield(); // pairs with run's release
  bw__timers *first = from < to ? from : to, *second = from < to ? to : from;
  bw__timers_lock(first);
  bw__mutex_lock_unranked(&second->lock);
  bw__port_mem_sync();
  int64_t before = bw__load_relaxed(&to->next); // written under the lock
  while (from->heap.len) move_one_locked(from, to, from->heap.item[from->heap.at[0].slot]);
  while (from->spill) move_one_locked(from, to, from->spill);
  bw__timers_publish_locked(to);
  bw__timers_publish_locked(from);
  bw__store(&from->earlier, BW_NEVER);
  bw__store_relaxed(&from->stopped, 0);
  int64_t after = bw__load_relaxed(&to->next);
  bw__mutex_unlock_unranked(&second->lock);
  bw__mutex_unlock(&first->lock);
  bw__store_release(&from->running, false); // pairs with the swap in run
  if (after < before) bw__timers_earlier(after);
}
