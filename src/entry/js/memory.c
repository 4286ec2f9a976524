// Memory and statistics for JavaScript.
#include "entry/js/abi.h"

#include "port/port.h"

void *bw_js_alloc(size_t size) {
  bw__port_mem_sync();
  return bw_malloc(size);
}

void bw_js_free(void *p) {
  bw__port_mem_sync();
  bw_free(p);
}

enum { PROC_BYTES = 6 * 8 };

// These records are structs of 64-bit words only, so copying them is listing their fields in order.
_Static_assert(sizeof(bw_alloc_stats) == 29 * 8, "abi.h says 29 words");
_Static_assert(sizeof(bw_memory_info) == 3 * 8, "abi.h says 3 words");
// JavaScript has the first ones.
_Static_assert(offsetof(bw_proc_stats, steals) == PROC_BYTES, "abi.h says 6 words");

int bw_js_alloc_stats(uint64_t *out) {
  bw_alloc_stats stats;
  bw__port_mem_sync();
  bw_alloc_stats_read(&stats);
  memcpy(out, &stats, sizeof stats);
  return (int)(sizeof stats / 8);
}

int bw_js_memory(uint64_t *out) {
  bw__port_mem_sync();
  bw_memory_info info = bw_memory_read();
  memcpy(out, &info, sizeof info);
  return (int)(sizeof info / 8);
}

int bw_js_proc_stats(int index, uint64_t *out) {
  bw__port_mem_sync();
  bw_proc_stats stats = bw_proc_stats_read(index);
  memcpy(out, &stats, PROC_BYTES);
  return PROC_BYTES / 8;
}

int bw_js_size_class_count(void) { return bw_size_class_count(); }

int bw_js_size_class_of(size_t size) { return bw_size_class_of(size); }

int bw_js_size_class(int index, uint32_t *out) {
  if (index < 0 || index >= bw_size_class_count()) return BW_ERANGE;
  bw_size_class c = bw_size_class_at(index);
  uint32_t words[] = {c.size, c.span_bytes, c.objects, c.tail_waste, c.max_waste};
  memcpy(out, words, sizeof words);
  return 0;
}

int bw_js_where(const void *p, uint32_t *out) {
  bw_alloc_where w;
  bw__port_mem_sync();
  if (!bw_alloc_where_is(p, &w)) return BW_ERANGE;
  uint32_t words[] = {(uint32_t)w.span_start,  (uint32_t)w.span_bytes,   (uint32_t)w.size_class,
                      (uint32_t)w.object_size, (uint32_t)w.object_index, (uint32_t)w.span_objects,
                      (uint32_t)w.span_in_use};
  memcpy(out, words, sizeof words);
  return 0;
}

enum { WALK_WORDS = 5 };

typedef struct {
  uint32_t *out;
  int count, max;
} walk;

static bool note_span(const bw_alloc_span *s, void *arg) {
  walk *w = arg;
  if (w->count == w->max) return false;
  uint32_t words[WALK_WORDS] = {(uint32_t)s->start, (uint32_t)s->bytes, (uint32_t)s->size_class,
                                (uint32_t)s->objects, (uint32_t)s->in_use};
  memcpy(w->out + w->count++ * WALK_WORDS, words, sizeof words);
  return true;
}

int bw_js_walk(uint32_t *out, int max) {
  walk w = {out, 0, max};
  bw__port_mem_sync();
  bw_alloc_walk(note_span, &w);
  return w.count;
}

typedef struct {
  uint32_t *head;
  uint8_t *states;
} objects;

static bool note_object(const bw_alloc_object *o, void *arg) {
  objects *w = arg;
  if (w->head[2] == 0) w->head[0] = (uint32_t)o->start;
  w->head[1] = (uint32_t)o->bytes;
  w->states[w->head[2]++] = (uint8_t)o->state;
  return true;
}

int bw_js_objects(const void *p, uint32_t *out) {
  objects w = {out, (uint8_t *)(out + 3)};
  out[2] = 0;
  bw__port_mem_sync();
  return bw_alloc_walk_objects(p, note_object, &w) ? 0 : BW_ERANGE;
}
