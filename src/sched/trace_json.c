// Writing a trace as JSON, in Chrome's trace event format.
//
// Each ring is walked once, oldest event first, and each event becomes what it stands for; readers
// sort by time, and keep the order of the file where times are equal. A slice is written at its
// beginning, for which the ring is searched for its end: so the arrows that begin or end in it come
// after it in the file, and a slice whose beginning or end is lost still has a place.
//
// Tracks have numbers of their own: P i is 1 + i, M i is 100001 + i, plain threads together 100000.
#include "sched/env.h"
#include "sched/trace.h"

#include <burrow/alloc.h>
#include <burrow/error.h>

enum { TID_OUTSIDE = 100000, TID_M = 100001, TID_P = 1, GROUP_PROCS = 1, GROUP_THREADS = 2 };
enum { OUT = 4096, FULL = OUT - 512 }; // a record takes less than 512 bytes

typedef struct {
  void (*write)(void *arg, const char *data, size_t n);
  void *arg;
  const bw__trace_record *record;
  const bw__trace_ring *ring; // that is being written
  uint64_t first;             // its oldest event
  bw__trace_name *names;      // a hash table by id, 0: free; at most half full
  size_t mask;
  bool any; // a record was written, so a comma is due
  bool seen_procs[BW_PROCS_MAX];
  bw__text out;
  char buffer[OUT];
} json;

// ---- output -------------------------------------------------------------------------------------

static void flush(json *j) {
  j->write(j->arg, j->out.data, j->out.len);
  j->out.len = 0;
}

static bw__text *next_record(json *j) {
  if (j->out.len > FULL) flush(j);
  bw__text_format(&j->out, j->any ? ",\n" : "\n");
  j->any = true;
  return &j->out;
}

// Bytes of the UTF-8 character that begins at s; 0: none does.
static size_t utf8_length(const unsigned char *s) {
  size_t n = s[0] >= 0xf0 && s[0] < 0xf5   ? 4
             : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
             : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                                           : 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  bool surrogate = s[0] == 0xed && s[1] >= 0xa0, overlong = s[0] == 0xe0 && s[1] < 0xa0;
  bool outside = (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90);
  return surrogate || overlong || outside ? 0 : n;
}

// What is no UTF-8 (a name may be cut within a character) becomes '?'.
static void add_escaped(bw__text *t, const char *text) {
  for (const unsigned char *s = (const unsigned char *)text; *s;) {
    size_t n = *s < 0x80 ? 1 : utf8_length(s);
    if (*s == '"' || *s == '\\') bw__text_bytes(t, "\\", 1);
    if (n == 0 || *s < ' ' || *s == 0x7f)
      bw__text_bytes(t, "?", 1);
    else
      bw__text_bytes(t, (const char *)s, n);
    s += n ? n : 1;
  }
}

// Microseconds since the trace began.
static void add_us(bw__text *t, int64_t ns) {
  if (ns < 0) ns = 0;
  unsigned rest = (unsigned)(ns % 1000);
  bw__text_format(t, "%lld.%u%u%u", (long long)(ns / 1000), rest / 100, rest / 10 % 10, rest % 10);
}

static void add_ts(json *j, int64_t at) {
  bw__text_format(&j->out, "\"ts\":");
  add_us(&j->out, at - j->record->began);
}

static void add_place(json *j, int tid) {
  int group = tid < TID_OUTSIDE ? GROUP_PROCS : GROUP_THREADS;
  bw__text_format(&j->out, ",\"pid\":%d,\"tid\":%d", group, tid);
}

// ---- names --------------------------------------------------------------------------------------

static bw__trace_name *slot_of(json *j, uint64_t id) {
  size_t at = (size_t)bw__rand_mix(id) & j->mask;
  while (j->names[at].id && j->names[at].id != id) at = (at + 1) & j->mask;
  return &j->names[at];
}

static void learn_event(json *j, const bw__trace_event *e) {
  if (e->kind != BW_TRACE_NAME) return;
  bw__trace_name *n = slot_of(j, e->g);
  n->id = e->g;
  n->name[e->detail] = e->other;
  if (e->detail + 1 < BW_NAME_WORDS) n->name[e->detail + 1] = e->arrow;
}

static void add_goroutine(json *j, uint64_t id) {
  bw__trace_name *n = slot_of(j, id);
  char text[BW_NAME_WORDS * 8];
  memcpy(text, n->name, sizeof text);
  text[sizeof text - 1] = 0;
  if (n->id && text[0])
    add_escaped(&j->out, text);
  else
    bw__text_format(&j->out, "goroutine %llu", (unsigned long long)id);
}

// ---- the events of a ring -----------------------------------------------------------------------

static const bw__trace_event *event_at(const json *j, uint64_t i) {
  return &j->ring->events[i % j->ring->cap];
}

static bool ends_run(const bw__trace_event *e) {
  return e->kind == BW_TRACE_STOP || e->kind == BW_TRACE_CALL_BEGIN || e->kind == BW_TRACE_START;
}
static bool ends_hold(const bw__trace_event *e) {
  return e->kind == BW_TRACE_PROC_STOP || e->kind == BW_TRACE_CALL_BEGIN ||
         e->kind == BW_TRACE_PROC_START;
}
static bool ends_call(const bw__trace_event *e) { return e->kind == BW_TRACE_CALL_END; }

// NULL: it had not ended when the trace did.
static const bw__trace_event *find(const json *j, uint64_t i,
                                   bool (*ends)(const bw__trace_event *)) {
  for (; i < j->ring->count; i++)
    if (ends(event_at(j, i))) return event_at(j, i);
  return NULL;
}

static void add_span(json *j, int64_t from, int64_t to, int tid) {
  if (from < j->record->began) from = j->record->began;
  add_ts(j, from);
  bw__text_format(&j->out, ",\"dur\":");
  add_us(&j->out, to - from);
  add_place(j, tid);
}

static const char *end_text(const bw__trace_event *end) {
  if (!end) return "still running";
  if (end->kind == BW_TRACE_CALL_BEGIN) return "blocking call";
  if (end->kind != BW_TRACE_STOP) return "unknown";
  switch (end->detail & 0xff) {
  case BW_END_DONE: return "end";
  case BW_END_YIELD: return "yield";
  default: return bw__reason_text((bw__reason)(end->detail >> 8));
  }
}

static void write_run(json *j, uint64_t g, int p, int64_t from, const bw__trace_event *end) {
  bw__text *t = next_record(j);
  bw__text_format(t, "{\"ph\":\"X\",\"cat\":\"run\",\"name\":\"");
  add_goroutine(j, g);
  bw__text_format(t, "\",");
  add_span(j, from, end ? end->at : j->record->ended, TID_P + p);
  bw__text_format(t, ",\"args\":{\"g\":%llu,\"m\":%d,\"end\":\"%s\"}}", (unsigned long long)g,
                  j->ring->m, end_text(end));
}

static void write_hold(json *j, const bw__trace_event *e, uint64_t i) {
  const bw__trace_event *end = find(j, i + 1, ends_hold);
  bw__text *t = next_record(j);
  bw__text_format(t, "{\"ph\":\"X\",\"cat\":\"hold\",\"name\":\"P %d\",", e->p);
  add_span(j, e->at, end ? end->at : j->record->ended, TID_M + j->ring->m);
  bw__text_format(t, "}");
}

static void write_call(json *j, const bw__trace_event *e, uint64_t i) {
  const bw__trace_event *end = find(j, i + 1, ends_call);
  bw__text *t = next_record(j);
  bw__text_format(t, "{\"ph\":\"X\",\"cat\":\"call\",\"name\":\"blocking call\",");
  add_span(j, e->at, end ? end->at : j->record->ended, TID_M + j->ring->m);
  bw__text_format(t, ",\"args\":{\"g\":%llu}}", (unsigned long long)e->g);
}

static int track_of(const json *j, const bw__trace_event *e) {
  if (j->ring->m < 0) return TID_OUTSIDE;
  return e->p >= 0 ? TID_P + e->p : TID_M + j->ring->m;
}

static void write_arrow(json *j, const bw__trace_event *e, bool begins) {
  if (e->arrow >> 32 < j->record->first_serial) return; // 0, or of an earlier trace
  bw__text *t = next_record(j);
  bw__text_format(t, "{\"ph\":\"%s\",\"cat\":\"wake\",\"name\":\"wake\",\"id\":%llu,",
                  begins ? "s" : "f", (unsigned long long)e->arrow);
  if (!begins) bw__text_format(t, "\"bp\":\"e\",");
  add_ts(j, e->at);
  add_place(j, track_of(j, e));
  bw__text_format(t, "}");
}

// A mark. Plain threads have no slices that an arrow could begin in, so theirs is a short one.
static void begin_mark(json *j, const char *what) {
  bw__text_format(next_record(j), "{%s\"cat\":\"%s\",\"name\":\"%s",
                  j->ring->m < 0 ? "\"ph\":\"X\",\"dur\":1," : "\"ph\":\"i\",\"s\":\"t\",", what,
                  what);
}

static void end_mark(json *j, const bw__trace_event *e, uint64_t by) {
  bw__text *t = &j->out;
  bw__text_format(t, "\",");
  add_ts(j, e->at);
  add_place(j, track_of(j, e));
  bw__text_format(t, ",\"args\":{\"g\":%llu,\"by\":%llu}}", (unsigned long long)e->g,
                  (unsigned long long)by);
}

static void write_goroutine_mark(json *j, const bw__trace_event *e, const char *what) {
  begin_mark(j, what);
  bw__text_format(&j->out, " ");
  add_goroutine(j, e->g);
  end_mark(j, e, e->other);
  write_arrow(j, e, true);
}

static void write_steal(json *j, const bw__trace_event *e) {
  begin_mark(j, "steal");
  bw__text_format(&j->out, " from P %d", (int)e->detail);
  end_mark(j, e, 0);
}

static void write_timers(json *j, const bw__trace_event *e) {
  bw__text *t = next_record(j);
  bw__text_format(t, "{\"ph\":\"X\",\"cat\":\"timers\",\"name\":\"timers\",");
  add_span(j, (int64_t)e->other, e->at, track_of(j, e));
  bw__text_format(t, "}");
}

static void write_procs(json *j, const bw__trace_event *e) {
  bw__text *t = next_record(j);
  bw__text_format(t, "{\"ph\":\"C\",\"name\":\"gomaxprocs\",");
  add_ts(j, e->at);
  bw__text_format(t, ",\"pid\":%d,\"args\":{\"Ps\":%llu}}", GROUP_PROCS,
                  (unsigned long long)e->other);
}

static void write_event(json *j, uint64_t i) {
  const bw__trace_event *e = event_at(j, i);
  switch ((bw__trace_kind)e->kind) {
  case BW_TRACE_NAME:
  case BW_TRACE_STOP:
  case BW_TRACE_PROC_STOP:
  case BW_TRACE_CALL_END: break; // ends of slices
  case BW_TRACE_CREATE: write_goroutine_mark(j, e, "go"); break;
  case BW_TRACE_UNBLOCK: write_goroutine_mark(j, e, "wake"); break;
  case BW_TRACE_START:
    write_run(j, e->g, e->p, e->at, find(j, i + 1, ends_run));
    write_arrow(j, e, false);
    break;
  case BW_TRACE_STEAL: write_steal(j, e); break;
  case BW_TRACE_TIMERS: write_timers(j, e); break;
  case BW_TRACE_PROCS: write_procs(j, e); break;
  case BW_TRACE_PROC_START: write_hold(j, e, i); break;
  case BW_TRACE_CALL_BEGIN: write_call(j, e, i); break;
  }
}

// What was going on already at the first event: the goroutine that ran, the P that was held.
static void write_begun(json *j) {
  const bw__trace_event *end = find(j, j->first, ends_run);
  int64_t from = event_at(j, j->first)->at;
  if (end && end->kind != BW_TRACE_START) write_run(j, end->g, end->p, from, end);
}

static void write_ring(json *j, const bw__trace_ring *ring) {
  j->ring = ring;
  j->first = bw__trace_overwritten(ring);
  if (ring->count == 0) return;
  write_begun(j);
  for (uint64_t i = j->first; i < ring->count; i++) write_event(j, i);
}

// ---- all of it ----------------------------------------------------------------------------------

static void write_track_name(json *j, const char *of, const char *name, int number, int tid) {
  bw__text *t = next_record(j);
  bw__text_format(t, "{\"ph\":\"M\",\"name\":\"%s_name\"", of);
  add_place(j, tid);
  bw__text_format(t, ",\"args\":{\"name\":\"%s", name);
  if (number >= 0) bw__text_format(t, " %d", number);
  bw__text_format(t, "\"}}");
}

static void write_track_names(json *j) {
  write_track_name(j, "process", "Ps", -1, TID_P);
  write_track_name(j, "process", "threads", -1, TID_M);
  for (int i = 0; i < BW_PROCS_MAX; i++)
    if (j->seen_procs[i]) write_track_name(j, "thread", "P", i, TID_P + i);
  for (const bw__trace_ring *r = j->record->rings; r; r = r->next) {
    if (r->m >= 0)
      write_track_name(j, "thread", "M", r->m, TID_M + r->m);
    else if (r->count)
      write_track_name(j, "thread", "plain threads", -1, TID_OUTSIDE);
  }
}

// How many names there may be.
static size_t count_names(const bw__trace_record *record) {
  size_t n = 0;
  for (const bw__trace_names *l = record->names; l; l = l->next) n += l->count;
  for (const bw__trace_ring *r = record->rings; r; r = r->next) {
    uint64_t kept = r->count - bw__trace_overwritten(r);
    for (uint64_t i = 0; i < kept; i++) n += r->events[i].kind == BW_TRACE_NAME;
  }
  return n;
}

static void learn(json *j) {
  for (const bw__trace_names *l = j->record->names; l; l = l->next)
    for (size_t i = 0; i < l->count; i++) *slot_of(j, l->at[i].id) = l->at[i];
  for (const bw__trace_ring *r = j->record->rings; r; r = r->next) {
    uint64_t kept = r->count - bw__trace_overwritten(r);
    for (uint64_t i = 0; i < kept; i++) {
      learn_event(j, &r->events[i]);
      int p = r->events[i].p;
      if (p >= 0) j->seen_procs[p] = true;
    }
  }
}

static uint64_t dropped(const bw__trace_record *record) {
  uint64_t n = record->lost;
  for (const bw__trace_ring *r = record->rings; r; r = r->next) n += bw__trace_overwritten(r);
  return n;
}

static void write_all(json *j) {
  j->out = bw__text_on(j->buffer, sizeof j->buffer);
  learn(j);
  bw__text_format(&j->out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
  write_track_names(j);
  for (const bw__trace_ring *r = j->record->rings; r; r = r->next) write_ring(j, r);
  if (j->out.len > FULL) flush(j);
  bw__text_format(&j->out, "\n],\"otherData\":{\"dropped\":%llu}}\n",
                  (unsigned long long)dropped(j->record));
  flush(j);
}

int bw_trace_write(void (*write)(void *arg, const char *data, size_t n), void *arg) {
  bw__trace_record *record = bw__trace_borrow();
  if (!record) return BW_ESTATE;
  size_t slots = 16;
  while (slots < 2 * count_names(record)) slots *= 2;
  json *j = bw_calloc(1, sizeof *j);
  bw__trace_name *names = bw_calloc(slots, sizeof *names);
  if (j && names) {
    j->write = write;
    j->arg = arg;
    j->record = record;
    j->names = names;
    j->mask = slots - 1;
    write_all(j);
  }
  int code = j && names ? BW_OK : BW_ENOMEM;
  bw_free(names);
  bw_free(j);
  bw__trace_give_back();
  return code;
}

// ---- to a file ----------------------------------------------------------------------------------

typedef struct {
  int fd;
  bool failed;
} file;

static void put(void *arg, const char *data, size_t n) {
  file *f = arg;
  if (!f->failed) f->failed = !bw__port_write(f->fd, data, n);
}

int bw_trace_write_file(const char *path) {
  if (!path) return BW_EINVAL;
  file f = {.fd = bw__port_file_create(path)};
  if (f.fd < 0) return f.fd;
  int code = bw_trace_write(put, &f);
  bw__port_file_close(f.fd);
  return code == BW_OK && f.failed ? BW_EINVAL : code;
}

void bw__trace_write_wished(void) {
  if (!bw__env.trace[0]) return;
  int code = bw_trace_write_file(bw__env.trace);
  bw_trace_free();
  if (code == BW_OK) return;
  char line[sizeof bw__env.trace + 64];
  bw__text t = bw__text_on(line, sizeof line);
  bw__text_format(&t, "burrow: cannot write the trace to %s\n", bw__env.trace);
  bw__port_write(2, t.data, t.len);
}
