// Statistics by size class, and all of them as JSON.
#include "alloc/cache.h"
#include "alloc/pageheap.h"
#include "base/text.h"
#include "port/port.h"

bool bw_alloc_class_stats_read(int size_class, bw_alloc_class_stats *out) {
  if (size_class < 1 || size_class >= BW_SIZECLASS_COUNT) return false;
  unsigned c = (unsigned)size_class;
  memset(out, 0, sizeof *out);
  out->object_size = bw__sizeclass_sizes[c];
  bw__cache_class_stats(c, out);
  out->central_free = bw__central_free_objects(c);
  out->spans = bw__pageheap_class_spans(c);
  return true;
}

// ---- JSON --------------------------------------------------------------------------------------

// The names of both structs' fields, in their order. All are 64-bit words.
static const char *const stats_names[] = {
    "system_bytes",       "system_calls",    "released_bytes",  "heap_free_bytes",
    "heap_free_spans",    "heap_used_bytes", "heap_splits",     "heap_coalesces",
    "central_free_bytes", "central_fetches", "central_returns", "cache_free_bytes",
    "cache_hits",         "cache_misses",    "caches",          "live_bytes",
    "large_bytes",        "mallocs",         "frees",           "metadata_bytes",
    "virtual_bytes",      "resident_bytes",  "max_bytes",       "limit_bytes",
    "peak_system_bytes",  "peak_used_bytes", "heaps",           "heaps_bytes",
    "heaps_live_bytes",
};
static const char *const class_names[] = {"object_size",  "spans",  "in_use", "cached",
                                          "central_free", "allocs", "frees"};

enum {
  STATS_FIELDS = sizeof stats_names / sizeof stats_names[0],
  CLASS_FIELDS = sizeof class_names / sizeof class_names[0],
};
_Static_assert(sizeof(bw_alloc_stats) == STATS_FIELDS * sizeof(uint64_t), "a name for each field");
_Static_assert(sizeof(bw_alloc_class_stats) == CLASS_FIELDS * sizeof(uint64_t),
               "a name for each field");

// 20 digits and punctuation a number.
_Static_assert(STATS_FIELDS *(18 + 4 + 20) +
                       (BW_SIZECLASS_COUNT - 1) * (CLASS_FIELDS * (7 + 4 + 20) + 30) + 30 <
                   BW_ALLOC_STATS_JSON_MAX,
               "the promised length is enough");

// What is written, and how long all of it would be.
typedef struct {
  bw__text text;
  size_t length;
} output;

static void put(output *o, const char *s) {
  size_t n = strlen(s);
  bw__text_bytes(&o->text, s, n);
  o->length += n;
}

static void put_number(output *o, uint64_t n) {
  char buffer[24];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_unsigned(&t, n, 10);
  put(o, t.data);
}

static void put_fields(output *o, const char *const *names, const uint64_t *values, int count) {
  for (int i = 0; i < count; i++) {
    put(o, i ? ",\"" : "\"");
    put(o, names[i]);
    put(o, "\":");
    put_number(o, values[i]);
  }
}

static void put_class(output *o, int c) {
  bw_alloc_class_stats s;
  bw_alloc_class_stats_read(c, &s);
  put(o, c > 1 ? ",{\"class\":" : "{\"class\":");
  put_number(o, (uint64_t)c);
  put(o, ",");
  put_fields(o, class_names, (const uint64_t *)&s, CLASS_FIELDS);
  put(o, "}");
}

size_t bw_alloc_stats_json(char *buffer, size_t size) {
  char none[1];
  output o = {size ? bw__text_on(buffer, size) : bw__text_on(none, sizeof none), 0};
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  put(&o, "{");
  put_fields(&o, stats_names, (const uint64_t *)&s, STATS_FIELDS);
  put(&o, ",\"classes\":[");
  for (int c = 1; c < BW_SIZECLASS_COUNT; c++) put_class(&o, c);
  put(&o, "]}");
  return o.length;
}
