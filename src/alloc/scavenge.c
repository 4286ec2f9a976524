#include "alloc/scavenge.h"

#include "alloc/pageheap_state.h"
#include "port/port.h"

#define LENGTH  ((int64_t)500 * 1000 * 1000)
#define LOOK_AT ((size_t)64)    // pages that come back before the clock is worth a look
#define STEP    ((size_t)16384) // 128 MB: the lock is held for some ms at most
#define KEEP    ((size_t)128)   // idle pages that are not worth the calls

static bool has_work(const bw__scavenge *s, const bw__freespans *free) {
  return !BW_WASM && s->length >= 0 && free->resident.pages > KEEP;
}

// At the end of a window the next one begins, and spans go that are idle. False: none did, although
// all that are free have been idle for long enough: the system does not take them.
static bool pass_time(bw__scavenge *s, bw__freespans *free, int64_t now) {
  if (now < s->window_end) return true;
  s->window++;
  s->window_end = now + (s->length ? s->length : LENGTH);
  if (s->window < 2) return true;
  return bw__freespans_release(free, STEP, s->window - 2) > 0 || s->joined > s->window - 2;
}

void bw__scavenge_came_back(bw__scavenge *s, bw__freespans *free, size_t pages) {
  s->joined = s->window;
  s->came_back += pages;
  if (BW_WASM || BW_LIKELY(s->came_back < LOOK_AT)) return;
  s->came_back = 0;
  if (has_work(s, free)) pass_time(s, free, bw__port_now());
}

int64_t bw__scavenge_look(bw__scavenge *s, bw__freespans *free, int64_t now) {
  bool more = has_work(s, free) && pass_time(s, free, now) && has_work(s, free);
  return more ? s->window_end : INT64_MAX;
}

// ---- the page heap's ----------------------------------------------------------------------------

int64_t bw__pageheap_scavenge(int64_t now) {
  bw__mutex_lock(&bw__pageheap.mu);
  int64_t next = bw__scavenge_look(&bw__pageheap.scavenge, &bw__pageheap.free, now);
  bw__mutex_unlock(&bw__pageheap.mu);
  return next;
}

void bw__pageheap_set_window(int64_t ns) {
  bw__mutex_lock(&bw__pageheap.mu);
  bw__pageheap.scavenge.length = ns;
  bw__pageheap.scavenge.window_end = 0;
  bw__mutex_unlock(&bw__pageheap.mu);
}
