#include "alloc/scavenge.h"

#include "port/port.h"

#define LENGTH  ((int64_t)500 * 1000 * 1000)
#define LOOK_AT ((size_t)64)    // pages that come back before the clock is worth a look
#define STEP    ((size_t)16384) // 128 MB: the lock is held for some ms at most
#define KEEP    ((size_t)128)   // idle pages that are not worth the calls

// Moves time on. True: a window has ended since the last look.
static bool has_next_window(bw__scavenge *s) {
  int64_t now = bw__port_now();
  if (now < s->window_end) return false;
  s->window++;
  s->window_end = now + (s->length ? s->length : LENGTH);
  return true;
}

void bw__scavenge_came_back(bw__scavenge *s, bw__freespans *free, size_t pages) {
  s->came_back += pages;
  if (BW_WASM || BW_LIKELY(s->came_back < LOOK_AT)) return;
  s->came_back = 0;
  if (s->length < 0 || free->resident.pages <= KEEP || !has_next_window(s) || s->window < 2) return;
  bw__freespans_release(free, STEP, s->window - 2);
}
