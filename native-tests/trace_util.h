// Reads a trace back: checks that it is JSON, and makes a list of its records.
#ifndef BURROW_TRACE_UTIL_H
#define BURROW_TRACE_UTIL_H

#include "test.h"

#include "port/port.h"

typedef struct {
  char ph, cat[8], name[32], end[24];
  double ts, dur, id; // ids are below 2^53
  int tid;
  uint64_t g, by;
} trace_record;

typedef struct {
  char *text;
  size_t len, cap;
  trace_record *records;
  int count, room;
  uint64_t dropped;
} trace_read;

static inline void trace_take(void *arg, const char *data, size_t n) {
  trace_read *t = arg;
  if (t->len + n + 1 > t->cap) {
    t->cap = 2 * (t->len + n + 1);
    t->text = realloc(t->text, t->cap);
    CHECK(t->text);
  }
  memcpy(t->text + t->len, data, n);
  t->len += n;
  t->text[t->len] = 0;
}

// ---- JSON ---------------------------------------------------------------------------------------

static inline const char *trace_space(const char *s) {
  while (*s == ' ' || *s == '\n') s++;
  return s;
}

static inline const char *trace_string(const char *s, char *out, size_t cap) {
  size_t n = 0;
  CHECK_EQ(*s++, '"');
  for (; *s != '"'; s++) {
    if (*s == '\\') s++;
    CHECK((unsigned char)*s >= ' ');
    if (n + 1 < cap) out[n++] = *s;
  }
  out[n] = 0;
  return s + 1;
}

static inline void trace_set(trace_record *r, const char *key, const char *text, double number) {
  if (strcmp(key, "ph") == 0) r->ph = text[0];
  if (strcmp(key, "cat") == 0) snprintf(r->cat, sizeof r->cat, "%s", text);
  if (strcmp(key, "name") == 0 && !r->name[0]) snprintf(r->name, sizeof r->name, "%s", text);
  if (strcmp(key, "end") == 0) snprintf(r->end, sizeof r->end, "%s", text);
  if (strcmp(key, "ts") == 0) r->ts = number;
  if (strcmp(key, "dur") == 0) r->dur = number;
  if (strcmp(key, "id") == 0) r->id = number;
  if (strcmp(key, "tid") == 0) r->tid = (int)number;
  if (strcmp(key, "g") == 0) r->g = (uint64_t)number;
  if (strcmp(key, "by") == 0) r->by = (uint64_t)number;
}

// An object of words, numbers and such objects, whose members are all written to *r.
static inline const char *trace_object(const char *s, trace_record *r) {
  CHECK_EQ(*s++, '{');
  for (bool first = true; *(s = trace_space(s)) != '}'; first = false) {
    char key[32], text[64] = "", *end = NULL;
    double number = 0;
    if (!first) {
      CHECK_EQ(*s, ',');
      s = trace_space(s + 1);
    }
    s = trace_space(trace_string(s, key, sizeof key));
    CHECK_EQ(*s, ':');
    s = trace_space(s + 1);
    if (*s == '{') {
      s = trace_object(s, r);
    } else if (*s == '"') {
      s = trace_string(s, text, sizeof text);
      trace_set(r, key, text, 0);
    } else {
      number = strtod(s, &end);
      CHECK(end > s);
      s = end;
      trace_set(r, key, "", number);
    }
  }
  return s + 1;
}

static inline const char *trace_skip(const char *s, const char *word) {
  CHECK(strncmp(s, word, strlen(word)) == 0);
  return s + strlen(word);
}

static inline void trace_parse(trace_read *t) {
  CHECK(t->text);
  const char *s = trace_skip(t->text, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
  char *end;
  for (; *(s = trace_space(s)) == '{' || *s == ',';) {
    if (*s == ',') s = trace_space(s + 1);
    if (t->count == t->room) {
      t->room = 2 * t->room + 64;
      t->records = realloc(t->records, (size_t)t->room * sizeof *t->records);
      CHECK(t->records);
    }
    trace_record *r = &t->records[t->count++];
    *r = (trace_record){.g = 0};
    s = trace_object(s, r);
    CHECK(r->ph && r->name[0] && r->ts >= 0 && r->dur >= 0);
  }
  s = trace_skip(s, "],\"otherData\":{\"dropped\":");
  t->dropped = strtoull(s, &end, 10);
  CHECK_STR(end, "}}\n");
}

// ---- what must hold of every trace --------------------------------------------------------------

static inline bool trace_is(const trace_record *r, char ph, const char *cat) {
  return r->ph == ph && strcmp(r->cat, cat) == 0;
}

// Runs in the order of tracks and time, before all other records.
static inline int trace_order(const void *va, const void *vb) {
  const trace_record *a = va, *b = vb;
  bool ra = trace_is(a, 'X', "run"), rb = trace_is(b, 'X', "run");
  if (ra != rb) return rb - ra;
  if (a->tid != b->tid) return a->tid < b->tid ? -1 : 1;
  return a->ts < b->ts ? -1 : a->ts > b->ts;
}

// Clocks of different threads may differ a little: natively by less than the digits printed.
static inline double trace_slack(void) { return BW_WASM ? 2000 : 0.001; }

// What ran on a P ran one after the other.
static inline void trace_check_tracks(const trace_read *t) {
  for (int i = 1; i < t->count && trace_is(&t->records[i], 'X', "run"); i++) {
    const trace_record *a = &t->records[i - 1], *b = &t->records[i];
    if (a->tid == b->tid) CHECK(a->ts + a->dur <= b->ts + trace_slack());
  }
}

typedef struct {
  double id, ts;
  char ph;
} trace_arrow;

static inline int trace_arrow_order(const void *va, const void *vb) {
  const trace_arrow *a = va, *b = vb;
  if (a->id != b->id) return a->id < b->id ? -1 : 1;
  return b->ph - a->ph; // 's' first
}

// Each arrow begins once and ends at most once, later. When nothing was lost every end has its
// beginning.
static inline void trace_check_arrows(const trace_read *t) {
  trace_arrow *arrows = malloc(((size_t)t->count + 1) * sizeof *arrows);
  int n = 0;
  CHECK(arrows);
  for (int i = 0; i < t->count; i++) {
    const trace_record *r = &t->records[i];
    if (r->ph == 's' || r->ph == 'f') arrows[n++] = (trace_arrow){r->id, r->ts, r->ph};
  }
  qsort(arrows, (size_t)n, sizeof *arrows, trace_arrow_order);
  for (int i = 0; i < n; i++) {
    bool begun = i > 0 && arrows[i - 1].id == arrows[i].id;
    if (arrows[i].ph == 's') CHECK(!begun);
    if (arrows[i].ph == 's' || (!begun && t->dropped)) continue;
    CHECK(begun && arrows[i - 1].ph == 's');
    CHECK(arrows[i - 1].ts <= arrows[i].ts + trace_slack());
  }
  free(arrows);
}

// Every goroutine that ran was created first; its number is below `most`.
static inline void trace_check_created(const trace_read *t, uint64_t most) {
  double *created = malloc(most * sizeof *created);
  CHECK(created);
  for (uint64_t g = 0; g < most; g++) created[g] = -1;
  for (int i = 0; i < t->count; i++) {
    const trace_record *r = &t->records[i];
    if (strcmp(r->cat, "go") != 0) continue;
    CHECK(r->g > 0 && r->g < most && created[r->g] < 0);
    created[r->g] = r->ts;
  }
  for (int i = 0; i < t->count; i++) {
    const trace_record *r = &t->records[i];
    if (!trace_is(r, 'X', "run")) continue;
    CHECK(r->g < most && created[r->g] >= 0);
    CHECK(created[r->g] <= r->ts + trace_slack());
  }
  free(created);
}

// Reads the trace that was just recorded.
static inline trace_read trace_get(void) {
  trace_read t = {0};
  CHECK_EQ(bw_trace_write(trace_take, &t), BW_OK);
  trace_parse(&t);
  CHECK_EQ(t.dropped, bw_trace_dropped());
  return t;
}

static inline void trace_check(trace_read *t) {
  CHECK(t->records);
  qsort(t->records, (size_t)t->count, sizeof *t->records, trace_order);
  trace_check_tracks(t);
  trace_check_arrows(t);
}

static inline void trace_drop(trace_read *t) {
  free(t->text);
  free(t->records);
  *t = (trace_read){0};
}

// Records with this phase and category; `name` NULL: any.
static inline int trace_count(const trace_read *t, char ph, const char *cat, const char *name) {
  int n = 0;
  for (int i = 0; i < t->count; i++)
    n += trace_is(&t->records[i], ph, cat) && (!name || strcmp(t->records[i].name, name) == 0);
  return n;
}

#endif
