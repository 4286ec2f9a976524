// Running what is due: taken from the heap in batches under its lock, called without it.
//
// One thread at a time runs a heap's timers (`running`), so that the calls of one timer never
// overlap. One that comes second leaves at once: what it saw due is being run.
//
// A timer is in a batch once. A periodic one that was taken is pending again, and a start may bring
// it back to a time before `now` (it read the clock before we did) while the batch is still being
// filled. That arming waits for the next batch: a second flight would make `flights` even, and the
// timer look as if nobody held it.
#include "sched/timers_heap.h"

#include "port/port.h"

enum { BATCH = 64, SOME = 16, LITTER_LEAST = 32 };

typedef struct {
  bw__timer *t;
  void (*fn)(bw__timer *t, int64_t now);
  bool parting; // *t may be gone after fn
} flight;

typedef struct {
  flight at[BATCH];
  int n, most;
  bool left_one; // that is due, as it is in the batch already
} batch;

// ---- taking -------------------------------------------------------------------------------------

// Takes the arming that ends at `w`, under the lock. True: the caller calls fn, and `*then` is
// when the timer is due again, or FREE: then it must leave the heap. False: a start or a stop was
// quicker.
static bool take_off(bw__timer *t, int64_t w, int64_t now, batch *b, int64_t *then) {
  int64_t period = bw__load_relaxed(&t->period);    // written before the `when` that was seen
  uint32_t flights = bw__load_relaxed(&t->flights); // written by the runner only
  BW_ASSERT(!(flights & 1));
  flight f = {t, t->fn, t->parting};
  *then = period > 0 ? bw__timer_after_missed(w, period, now) : BW_TIMER_FREE;
  if (!f.parting) bw__store_relaxed(&t->flights, flights + 1); // published by the cas
  if (!bw__cas(&t->when, &w, *then)) {
    if (!f.parting) bw__store_relaxed(&t->flights, flights); // nobody asks while it is pending
    return false;
  }
  b->at[b->n++] = f;
  return true;
}

// Looks at the head. False: it is a pending timer, with its true key, that is not due, or that has
// to wait for the next batch.
static bool take_head_locked(bw__timers *ts, int64_t now, batch *b) {
  bw__heap *h = &ts->heap;
  bw__heap_entry e = h->at[0];
  bw__timer *t = h->item[e.slot];
  BW_ASSERT(t);
  int64_t w = bw__load(&t->when), then;
  if (w == BW_TIMER_STOPPED) {
    if (!bw__cas(&t->when, &w, BW_TIMER_FREE)) return true;
    bw__heap_remove(h, e.slot); // *t may be gone
    bw__timers_uncount_stopped(ts);
  } else if (w != e.key) {
    bw__heap_rekey(h, e.slot, bw__timers_new_key(t, w));
  } else if (w > now) {
    return false;
  } else if (BW_UNLIKELY(bw__load_relaxed(&t->flights) & 1)) { // written by the runner only
    b->left_one = true;
    return false;
  } else if (take_off(t, w, now, b, &then)) {
    if (then == BW_TIMER_FREE)
      bw__heap_remove(h, e.slot);
    else
      bw__heap_rekey(h, e.slot, bw__timers_new_key(t, then));
  }
  return true;
}

// One that is on the spill list, and gets its true key if it stays there. True: it has left.
static bool take_spilled_locked(bw__timer *t, int64_t now, batch *b) {
  int64_t w = bw__load(&t->when), then;
  if (w == BW_TIMER_STOPPED) return bw__cas(&t->when, &w, BW_TIMER_FREE);
  if (w > now || b->n == b->most) {
    bw__timers_new_key(t, w);
    return false;
  }
  if (!take_off(t, w, now, b, &then)) return false;
  if (then == BW_TIMER_FREE) return true;
  bw__timers_new_key(t, then);
  return false;
}

static void run_spilled_locked(bw__timers *ts, int64_t now, batch *b) {
  bw__timers_unspill_locked(ts);
  for (bw__timer **at = &ts->spill; *at;) {
    bw__timer *next = (*at)->spilled;
    if (take_spilled_locked(*at, now, b))
      *at = next;
    else
      at = &(*at)->spilled;
  }
}

// ---- marked timers ------------------------------------------------------------------------------

// The new key is not later than `when`: a start that lowers it further marks the timer again.
static void sort_one_locked(bw__timers *ts, uint32_t slot) {
  bw__timer *t = ts->heap.item[slot];
  if (!t) return;
  int64_t w = bw__load(&t->when);
  if (w < 0 || w >= bw__heap_key(&ts->heap, slot)) return;
  bw__store(&t->key, w);
  bw__heap_rekey(&ts->heap, slot, w);
}

static void sort_word_locked(bw__timers *ts, uint32_t word) {
  if (!bw__load(&ts->marks[word])) return;
  for (uint64_t bits = bw__swap(&ts->marks[word], 0); bits; bits &= bits - 1) {
    uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(bits);
    for (; slot < ts->heap.slots; slot += BW_TIMERS_MARK_WORDS * 64) sort_one_locked(ts, slot);
  }
}

static void sort_marked_locked(bw__timers *ts) {
  int64_t e = bw__load(&ts->earlier);
  if (e == BW_NEVER) return;
  do
    if (e < bw__load_relaxed(&ts->next)) bw__store(&ts->next, e);
  while (!bw__cas(&ts->earlier, &e, BW_NEVER));
  for (uint32_t word = 0; word < BW_TIMERS_MARK_WORDS; word++) sort_word_locked(ts, word);
}

// ---- running ------------------------------------------------------------------------------------

static void take_batch(bw__timers *ts, int64_t now, batch *b) {
  b->n = 0;
  b->left_one = false;
  bw__timers_lock(ts);
  sort_marked_locked(ts);
  if (ts->heap.len >= LITTER_LEAST && bw__timers_littered_locked(ts)) bw__timers_clean_locked(ts);
  if (BW_UNLIKELY(ts->spill)) run_spilled_locked(ts, now, b);
  while (b->n < b->most && ts->heap.len && take_head_locked(ts, now, b)) {}
  if (!ts->heap.len) bw__store_relaxed(&ts->stopped, 0); // ends what lost counts have left
  bw__timers_publish_locked(ts);
  bw__mutex_unlock(&ts->lock);
}

static void fly(const flight *f, int64_t now) {
  f->fn(f->t, now);
  if (f->parting) return;
  // The last touch. Pairs with the acquire of who waits for it.
  bw__store_release(&f->t->flights, bw__load_relaxed(&f->t->flights) + 1);
}

static int64_t run(bw__timers *ts, int64_t now, int most, bool all) {
  if (bw__swap_acquire(&ts->running, true))
    return bw__timers_next(ts); // pairs with the release below
  batch b = {.most = most};
  do {
    take_batch(ts, now, &b);
    for (int i = 0; i < b.n; i++) fly(&b.at[i], now);
  } while (all && (b.n == most || b.left_one));
  bw__store_release(&ts->running, false); // pairs with the swap above
  return bw__timers_next(ts);
}

int64_t bw__timers_run(bw__timers *ts, int64_t now) { return run(ts, now, BATCH, true); }

int64_t bw__timers_run_some(bw__timers *ts, int64_t now) { return run(ts, now, SOME, false); }
