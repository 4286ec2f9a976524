// Statistics as structs and as JSON, and the walk over a span's objects: the numbers are those of
// the operations that a test does, and all tiers tell the same story.
#include "test.h"

#include "alloc/heap.h"
#include "base/atomics.h"
#include "base/rand.h"
#include "port/port.h"

#define PAGE ((size_t)8192)
#define MB   ((size_t)1 << 20)

static bw_alloc_stats stats(void) {
  bw_alloc_stats s;
  bw_alloc_stats_read(&s);
  return s;
}

static bw_alloc_class_stats class_stats(int c) {
  bw_alloc_class_stats s;
  CHECK(bw_alloc_class_stats_read(c, &s));
  return s;
}

// ---- structs -----------------------------------------------------------------------------------

TEST(alloc_stats_of_the_process) {
  bw_alloc_set_limit(1000 * MB);
  char *p = bw_malloc(30 * MB);
  CHECK(p);
  memset(p, 1, 30 * MB);
  bw_alloc_stats s = stats();
  bw_memory_info info = bw_memory_read();
  CHECK(s.resident_bytes >= 30 * MB && s.virtual_bytes >= s.resident_bytes);
  CHECK(s.virtual_bytes >= s.system_bytes);
  CHECK_EQ(s.max_bytes, info.max_bytes);
  CHECK_EQ(s.limit_bytes, 1000 * MB);
  bw_free(p);
}

TEST(alloc_stats_peaks) {
  bw_alloc_stats before = stats();
  char *p = bw_malloc(50 * MB);
  CHECK(p);
  bw_alloc_stats during = stats();
  CHECK(during.peak_used_bytes >= before.heap_used_bytes + 50 * MB);
  CHECK(during.peak_system_bytes >= during.system_bytes - during.released_bytes);
  bw_free(p);
  bw_alloc_release();
  bw_alloc_stats after = stats();
  CHECK_EQ(after.peak_used_bytes, during.peak_used_bytes);
  CHECK_EQ(after.peak_system_bytes, during.peak_system_bytes);
  CHECK(after.heap_used_bytes <= after.peak_used_bytes - 50 * MB);
}

static bool count_span(const bw_alloc_span *s, void *arg) {
  uint64_t *spans = arg;
  if (s->size_class > 0 && !s->owner) spans[s->size_class]++;
  return true;
}

// Natively nobody else is at work here; on wasm the C library is.
static void check_class(int c, const uint64_t *spans) {
  bw_alloc_class_stats s = class_stats(c);
  bw_size_class row = bw_size_class_at(c);
  CHECK_EQ(s.object_size, row.size);
  CHECK_EQ(s.spans, spans[c]);
  CHECK_EQ(s.in_use, s.allocs - s.frees);
  CHECK_EQ(s.spans * row.objects, s.in_use + s.cached + s.central_free);
}

TEST(alloc_stats_of_classes) {
  enum { N = 3000 };
  static void *p[N];
  uint64_t spans[128] = {0};
  bw__rand rng = {3};
  for (int i = 0; i < N; i++) CHECK((p[i] = bw_malloc(1 + bw__rand_below(&rng, 30000))));
  for (int i = 0; i < N; i += 3) bw_free(p[i]);
  bw_alloc_walk(count_span, spans);
  for (int c = 1; c < bw_size_class_count(); c++) check_class(c, spans);
  for (int i = 0; i < N; i++)
    if (i % 3) bw_free(p[i]);
  bw_alloc_class_stats s;
  CHECK(!bw_alloc_class_stats_read(0, &s));
  CHECK(!bw_alloc_class_stats_read(-1, &s));
  CHECK(!bw_alloc_class_stats_read(bw_size_class_count(), &s));
}

TEST(alloc_stats_count_one_object) {
  SKIP_IN_ALLOC_DEBUG("an object of the debug build is of another class");
  bw_free(bw_malloc(21000));
  int c = bw_size_class_of(21000);
  bw_alloc_class_stats before = class_stats(c);
  void *p = bw_malloc(21000);
  bw_alloc_class_stats during = class_stats(c);
  CHECK_EQ(during.allocs - before.allocs, 1);
  CHECK_EQ(during.in_use - before.in_use, 1);
  bw_free(p);
  CHECK_EQ(class_stats(c).frees - before.frees, 1);
  CHECK_EQ(class_stats(c).in_use, before.in_use);
}

// ---- JSON --------------------------------------------------------------------------------------

// A strict reader of the part of RFC 8259 that is used: objects, arrays, whole numbers, no space.
// It hands every number to see_number.
typedef struct {
  const char *at;
  int depth, index; // of nested values; in the innermost array
  char path[3][32]; // names of members by depth
} reader;

static void see_number(const reader *r, uint64_t value);

static bool eat(reader *r, const char *text) {
  size_t n = strlen(text);
  if (strncmp(r->at, text, n) != 0) return false;
  r->at += n;
  return true;
}

static bool read_value(reader *r);

static bool read_number(reader *r) {
  const char *start = r->at;
  uint64_t value = 0;
  for (; *r->at >= '0' && *r->at <= '9'; r->at++) {
    uint64_t digit = (uint64_t)(*r->at - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  if (r->at == start || (*start == '0' && r->at - start > 1)) return false;
  see_number(r, value);
  return true;
}

static bool read_name(reader *r) {
  char *name = r->path[r->depth - 1];
  size_t n = 0;
  if (!eat(r, "\"")) return false;
  for (; *r->at != '"'; r->at++) {
    if (*r->at < 'a' ? *r->at != '_' : *r->at > 'z') return false;
    if (n == 31) return false;
    name[n++] = *r->at;
  }
  name[n] = 0;
  return n && eat(r, "\"") && eat(r, ":");
}

static bool read_members(reader *r) {
  do
    if (!read_name(r) || !read_value(r)) return false;
  while (eat(r, ","));
  return eat(r, "}");
}

static bool read_items(reader *r) {
  r->index = 0;
  do {
    if (!read_value(r)) return false;
    r->index++;
  } while (eat(r, ","));
  return eat(r, "]");
}

static bool read_value(reader *r) {
  if (*r->at >= '0' && *r->at <= '9') return read_number(r);
  bool object = eat(r, "{");
  if (!object && !eat(r, "[")) return false;
  if (++r->depth > 3) return false;
  bool good = object ? read_members(r) : read_items(r);
  r->depth--;
  return good;
}

static struct {
  int fields, class_fields;
  uint64_t live_bytes, large_bytes, heaps_live_bytes, system_bytes, free_bytes, used_bytes, records;
  uint64_t small_bytes, size; // sum of in_use * size; size of the class being read
  uint64_t class_spans;
} seen;

static void see_class_field(const char *name, int index, uint64_t value) {
  seen.class_fields++;
  if (strcmp(name, "class") == 0) CHECK_EQ(value, index + 1);
  if (strcmp(name, "object_size") == 0) seen.size = value;
  if (strcmp(name, "in_use") == 0) seen.small_bytes += value * seen.size;
  if (strcmp(name, "spans") == 0) seen.class_spans += value;
}

static void see_number(const reader *r, uint64_t value) {
  const char *name = r->path[0];
  if (strcmp(name, "classes") == 0) {
    see_class_field(r->path[2], r->index, value);
    return;
  }
  if (r->depth != 1) return;
  seen.fields++;
  if (strcmp(name, "live_bytes") == 0) seen.live_bytes = value;
  if (strcmp(name, "large_bytes") == 0) seen.large_bytes = value;
  if (strcmp(name, "heaps_live_bytes") == 0) seen.heaps_live_bytes = value;
  if (strcmp(name, "system_bytes") == 0) seen.system_bytes = value;
  if (strcmp(name, "heap_free_bytes") == 0) seen.free_bytes = value;
  if (strcmp(name, "heap_used_bytes") == 0) seen.used_bytes = value;
  if (strcmp(name, "metadata_bytes") == 0) seen.records = value;
}

static bool is_json(const char *text) {
  reader r = {.at = text};
  memset(&seen, 0, sizeof seen);
  return read_value(&r) && *r.at == 0;
}

TEST(alloc_stats_json_reader) {
  CHECK(is_json("{\"a\":1,\"b\":[{\"c\":0},{\"c\":18446744073709551615}]}"));
  const char *wrong[] = {"",           "{",     "{\"a\":}", "{\"a\":01}",
                         "{\"a\":1,}", "{a:1}", "{\"a\":1", "{\"a\":1}x",
                         "{\"\":1}",   "[1,]",  "[1 2]",    "{\"a\":18446744073709551616}"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) CHECK(!is_json(wrong[i]));
}

static char json[BW_ALLOC_STATS_JSON_MAX];

TEST(alloc_stats_json_is_complete) {
  bw_heap *h = bw_heap_create();
  CHECK(bw_heap_malloc(h, 1000) && bw_heap_malloc(h, 50000));
  void *p = bw_malloc(300), *q = bw_malloc(300000);
  CHECK(p && q);
  size_t n = bw_alloc_stats_json(json, sizeof json);
  bw_alloc_stats s = stats();
  CHECK(n < sizeof json);
  CHECK_EQ(strlen(json), n);
  CHECK(is_json(json));
  CHECK_EQ(seen.fields, sizeof s / sizeof(uint64_t));
  CHECK_EQ(seen.class_fields, (size_t)(bw_size_class_count() - 1) *
                                  (1 + sizeof(bw_alloc_class_stats) / sizeof(uint64_t)));
  CHECK_EQ(seen.system_bytes, s.system_bytes);
  CHECK_EQ(seen.system_bytes, seen.free_bytes + seen.used_bytes + seen.records);
  CHECK_EQ(seen.heaps_live_bytes, 1024 + 7 * PAGE);
  CHECK_EQ(seen.live_bytes, seen.small_bytes + seen.large_bytes + seen.heaps_live_bytes);
  CHECK_EQ(seen.live_bytes, s.live_bytes);
  CHECK(seen.class_spans > 0);
  bw_free(p);
  bw_free(q);
  bw_heap_destroy(h);
}

TEST(alloc_stats_json_is_cut) {
  static char whole[BW_ALLOC_STATS_JSON_MAX];
  size_t n = bw_alloc_stats_json(whole, sizeof whole);
  for (size_t size = 0; size < 300; size++) {
    char part[301];
    memset(part, 0x7f, sizeof part);
    size_t need = bw_alloc_stats_json(part, size);
    CHECK(need > n - 50 && need < n + 50); // some numbers change
    if (size) CHECK_EQ(strlen(part), size - 1);
    CHECK_EQ(part[size], 0x7f);
    CHECK(size < 18 || strncmp(part, "{\"system_bytes\":", 16) == 0);
  }
  CHECK(bw_alloc_stats_json(NULL, 0) > 5000);
}

// ---- objects of a span -------------------------------------------------------------------------

typedef struct {
  const void *wanted; // the state of this object is noted
  bw_object_state state;
  uintptr_t next;
  size_t counts[3], stop_after, visits;
} tally;

static bool count_object(const bw_alloc_object *o, void *arg) {
  tally *t = arg;
  if (t->next) CHECK_EQ(o->start, t->next);
  t->next = o->start + o->bytes;
  CHECK(o->state <= BW_OBJECT_IN_USE);
  t->counts[o->state]++;
  if (o->start == (uintptr_t)t->wanted) t->state = o->state;
  bw_free(bw_malloc(5000)); // is allowed
  return ++t->visits != t->stop_after;
}

static tally walk(const void *p) {
  tally t = {.wanted = p};
  CHECK(bw_alloc_walk_objects(p, count_object, &t));
  return t;
}

static bw_object_state state_of(const void *p) { return walk(p).state; }

TEST(alloc_objects_states) {
  char *p = bw_malloc(3000), *q = bw_malloc(3000);
  CHECK_EQ(state_of(p), BW_OBJECT_IN_USE);
  CHECK_EQ(state_of(q), BW_OBJECT_IN_USE);
  bw_free(p);
  CHECK_EQ(state_of(p), BW_OBJECT_FREE); // in the cache
  CHECK_EQ(state_of(q), BW_OBJECT_IN_USE);
  tally whole = walk(q + 100);
  CHECK_EQ(whole.visits, bw_size_class_at(bw_size_class_of(3000)).objects);
  tally first = {.stop_after = 1};
  CHECK(bw_alloc_walk_objects(q, count_object, &first));
  CHECK_EQ(first.visits, 1);
  bw_free(q);
}

TEST(alloc_objects_of_large_and_of_nothing) {
  char *p = bw_malloc(MB);
  tally t = walk(p + 5000);
  CHECK(t.visits == 1 && t.counts[BW_OBJECT_IN_USE] == 1 && t.next == (uintptr_t)p + MB);
  bw_free(p);
  CHECK(!bw_alloc_walk_objects(p, count_object, &t));
  CHECK(!bw_alloc_walk_objects((void *)(UINTPTR_MAX - 4095), count_object, &t));
  bw_heap *h = bw_heap_create();
  p = bw_heap_malloc(h, MB);
  t = walk(p + 5000);
  CHECK(t.visits == 1 && t.counts[BW_OBJECT_IN_USE] == 1);
  bw_heap_destroy(h);
  CHECK(!bw_alloc_walk_objects(p, count_object, &t));
}

// What the walk counts is what the books say, span by span and class by class.
typedef struct {
  const void *starts[4000];
  int count;
} span_list;

static span_list all_spans;

static bool note_span(const bw_alloc_span *s, void *arg) {
  span_list *l = arg;
  if (s->size_class > 0 && l->count < 4000) l->starts[l->count++] = (const void *)s->start;
  return true;
}

TEST(alloc_objects_counts) {
  enum { N = 4000, CLASS_SIZE = 200, BIG_CLASS = 6000 };
  static void *p[N];
  bw__rand rng = {11};
  for (int i = 0; i < N; i++)
    CHECK((p[i] = bw_malloc(bw__rand_below(&rng, 9) ? CLASS_SIZE : BIG_CLASS)));
  for (int i = 0; i < N; i++)
    if (bw__rand_below(&rng, 3)) {
      bw_free(p[i]);
      p[i] = NULL;
    }
  bw_alloc_walk(note_span, &all_spans);
  uint64_t in_use[128] = {0}, free_objects[128] = {0};
  for (int i = 0; i < all_spans.count; i++) {
    bw_alloc_where where;
    if (!bw_alloc_where_is(all_spans.starts[i], &where)) continue; // the visit's own
    tally t = walk(all_spans.starts[i]);
    CHECK_EQ(t.visits, where.span_objects);
    in_use[where.size_class] += t.counts[BW_OBJECT_IN_USE];
    free_objects[where.size_class] += t.visits - t.counts[BW_OBJECT_IN_USE];
  }
  int classes[] = {bw_size_class_of(CLASS_SIZE), bw_size_class_of(BIG_CLASS)};
  for (int i = 0; i < 2; i++) {
    bw_alloc_class_stats s = class_stats(classes[i]);
    CHECK_EQ(in_use[classes[i]], s.in_use);
    CHECK_EQ(free_objects[classes[i]], s.cached + s.central_free);
  }
  for (int i = 0; i < N; i++) bw_free(p[i]);
}

TEST(alloc_objects_of_heap) {
  enum { N = 2000 };
  static void *p[N];
  bw_heap *h = bw_heap_create();
  bw__rand rng = {13};
  for (int i = 0; i < N; i++) CHECK((p[i] = bw_heap_malloc(h, 100)));
  for (int i = 0; i < N; i++)
    if (bw__rand_below(&rng, 2)) {
      bw_free(p[i]);
      p[i] = NULL;
    }
  for (int i = 0; i < N; i++) {
    bw_alloc_where where;
    if (!p[i]) continue;
    CHECK(bw_alloc_where_is(p[i], &where));
    tally t = walk(p[i]);
    CHECK_EQ(t.state, BW_OBJECT_IN_USE);
    CHECK_EQ(t.counts[BW_OBJECT_IN_USE], where.span_in_use);
    CHECK_EQ(t.visits, where.span_objects);
  }
  void *fresh = bw_heap_malloc(h, 4000); // the first of its span
  bw_alloc_where where;
  CHECK(bw_alloc_where_is(fresh, &where));
  tally t = walk(fresh);
  CHECK_EQ(t.counts[BW_OBJECT_IN_USE], 1);
  CHECK_EQ(t.counts[BW_OBJECT_UNUSED], where.span_objects - 1);
  bw_heap_destroy(h);
}

// ---- meanwhile, in other threads ---------------------------------------------------------------

static _Atomic(bool) stop_working;
static _Atomic(void *) latest[4];

static void work(void *arg) {
  bw__rand rng = {(uintptr_t)arg};
  bw_heap *h = bw_heap_create();
  while (!bw__load(&stop_working)) {
    size_t size = 1 + bw__rand_below(&rng, 9000);
    char *p = bw__rand_below(&rng, 2) ? bw_malloc(size) : bw_heap_malloc(h, size);
    CHECK(p);
    memset(p, (int)size, size);
    bw_free(bw__swap(&latest[bw__rand_below(&rng, 4)], p));
  }
  for (int i = 0; i < 4; i++) {
    void *p = bw__load(&latest[i]);
    if (p && bw_heap_of(p) == h && bw__cas(&latest[i], &p, NULL)) bw_free(p);
  }
  bw_heap_release(h); // not destroyed: the other thread may have objects of it
}

static bool look(const bw_alloc_object *o, void *arg) {
  size_t *bytes = arg;
  *bytes += o->bytes;
  return true;
}

THREADS_TEST(alloc_stats_meanwhile) {
  bw__port_thread threads[2];
  int rounds = test_is_slow_build() ? 40 : 400;
  for (int i = 0; i < 2; i++)
    CHECK_EQ(bw__port_thread_start(&threads[i], work, (void *)(uintptr_t)(i + 1)), 0);
  for (int i = 0; i < rounds; i++) {
    size_t n = bw_alloc_stats_json(json, sizeof json);
    CHECK(n < sizeof json && is_json(json));
    for (int k = 0; k < 100; k++) {
      size_t bytes = 0;
      if (bw_alloc_walk_objects(bw__load(&latest[k % 4]), look, &bytes))
        CHECK(bytes > 0 && bytes <= 20 * PAGE);
    }
  }
  bw__store(&stop_working, true);
  for (int i = 0; i < 2; i++) bw__port_thread_join(&threads[i]);
  for (int i = 0; i < 4; i++) bw_free(bw__swap(&latest[i], NULL));
}
