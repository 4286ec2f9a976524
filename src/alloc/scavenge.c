#include "alloc/scavenge.h"

#include "port/port.h"

#define WINDOW  ((int64_t)500 * 1000 * 1000)
#define LOOK_AT ((size_t)64)   // pages that come back before the clock is worth a look
#define STEP    ((size_t)1024) // pages given back at a time: the lock is held meanwhile
#define KEEP    ((size_t)128)  // never worth the calls

static void next_window(bw__scavenge *s, size_t used_pages, int64_t now) {
  int64_t window = s->window ? s->window : WINDOW;
  s->last_peak = s->peak;
  s->peak = used_pages;
  s->window_end = now + window;
}

size_t bw__scavenge_due(bw__scavenge *s, size_t pages, size_t used_pages, size_t idle_pages) {
  s->came_back += pages;
  if (BW_LIKELY(s->came_back < LOOK_AT) || s->window < 0 || idle_pages <= KEEP) return 0;
  s->came_back = 0;
  int64_t now = bw__port_now();
  if (now >= s->window_end) next_window(s, used_pages, now);
  size_t peak = s->peak > s->last_peak ? s->peak : s->last_peak;
  size_t keep = peak + peak / 8 + KEEP;
  if (used_pages + idle_pages <= keep) return 0;
  size_t excess = used_pages + idle_pages - keep;
  return excess < STEP ? excess : STEP;
}
