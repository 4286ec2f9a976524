// Recording an execution trace. trace.h has the protocol between those who record and who stops.
//
// `mode` says who may touch what was recorded: while it is ON, the Ms; when it is OFF, whoever
// makes it BUSY, which is how start, stop, write and free keep out of each other's way without
// holding a lock meanwhile.
//
// Locks: sched (list of rings, each M's ring), trace (mode, and the ring of plain threads).
#include "sched/trace.h"

#include <burrow/alloc.h>
#include <burrow/error.h>

enum { BYTES = 1 << 20, LEAST = 16 };

typedef enum { OFF, BUSY, ON } trace_mode;

static struct {
  bw__mutex lock;
  trace_mode mode;         // under lock
  bw__trace_ring *outside; // what it points to: under lock while ON
  size_t bytes;            // for each ring: under sched.lock while ON
  uint64_t serials;        // under sched.lock
  _Atomic(uint64_t) lost;
  bw__trace_record record;
} trace = {.lock = BW_MUTEX_INIT(BW_RANK_TRACE)};

// On a line of its own: read in every switch.
_Alignas(BW_CACHE_LINE) _Atomic(bool) bw__tracing;

// ---- recording ----------------------------------------------------------------------------------

static uint64_t put(bw__trace_ring *r, const bw__trace_event *e) {
  bw__trace_event *to = &r->events[r->at];
  *to = *e;
  r->count++;
  if (++r->at == r->cap) r->at = 0;
  return to->arrow;
}

// Numbers of arrows stay below 2^53, which JSON's readers can do.
static uint64_t new_arrow(bw__trace_ring *r) { return r->serial << 32 | ++r->arrows; }

static uint64_t put_all(bw__trace_ring *r, bw__trace_event *e, int n, bool arrow) {
  bw__port_mem_sync(); // the ring may lie in memory that another thread grew
  if (arrow) e->arrow = new_arrow(r);
  uint64_t first = put(r, e);
  for (int i = 1; i < n; i++) put(r, &e[i]);
  return first;
}

static uint64_t record_outside(bw__trace_event *e, int n, bool arrow) {
  uint64_t number = 0;
  bw__mutex_lock(&trace.lock);
  if (bw__load(&bw__tracing)) number = put_all(trace.outside, e, n, arrow); // on: there is a ring
  bw__mutex_unlock(&trace.lock);
  return number;
}

// Records n events. `arrow`: one begins at the first. Returns its number, or 0.
static uint64_t record(bw__m *m, bw__trace_event *e, int n, bool arrow) {
  uint64_t number = 0;
  for (int i = 0; i < n; i++) e[i].at = i ? e[0].at : bw__port_now();
  if (!m) return record_outside(e, n, arrow);
  bw__store(&m->recording, 1);
  if (!bw__load(&bw__tracing)) {
  } else if (m->ring) {
    number = put_all(m->ring, e, n, arrow);
  } else {
    bw__add_relaxed(&trace.lost, (uint64_t)n);
  }
  bw__store_release(&m->recording, 0); // pairs with the load in wait_for_ms
  return number;
}

static uint64_t number_of(bw__g *g) { return g ? bw__shared_load(&g->id) : 0; }

static int32_t proc_of(bw__m *m) { return m && m->p ? m->p->index : -1; }

static bw__trace_event event(bw__m *m, bw__trace_kind kind, bw__g *g, uint64_t other) {
  return (bw__trace_event){
      .g = number_of(g), .other = other, .kind = (uint16_t)kind, .p = proc_of(m)};
}

BW_NOINLINE void bw__trace_slow(bw__m *m, bw__trace_kind kind, bw__g *g, uint64_t other,
                                unsigned detail) {
  bw__trace_event e = event(m, kind, g, other);
  e.detail = (uint16_t)detail;
  record(m, &e, 1, false);
}

BW_NOINLINE void bw__trace_create_slow(bw__m *m, bw__g *g) {
  bw__trace_event e[3] = {event(m, BW_TRACE_CREATE, g, bw__shared_load(&g->parent))};
  int n = 1;
  for (int i = 0; i < BW_NAME_WORDS && bw__shared_load(&g->name[0]); i += 2, n++) {
    e[n] = event(m, BW_TRACE_NAME, g, bw__shared_load(&g->name[i]));
    e[n].arrow = i + 1 < BW_NAME_WORDS ? bw__shared_load(&g->name[i + 1]) : 0;
    e[n].detail = (uint16_t)i;
  }
  g->arrow = record(m, e, n, true);
}

BW_NOINLINE void bw__trace_unblock_slow(bw__m *m, bw__g *g) {
  bw__trace_event e = event(m, BW_TRACE_UNBLOCK, g, m ? number_of(m->cur) : 0);
  g->arrow = record(m, &e, 1, true);
}

BW_NOINLINE void bw__trace_start_slow(bw__m *m, bw__g *g) {
  bw__trace_event e = event(m, BW_TRACE_START, g, 0);
  e.arrow = g->arrow;
  g->arrow = 0;
  record(m, &e, 1, false);
}

BW_NOINLINE void bw__trace_stop_slow(bw__m *m, bw__g *g, bool alive) {
  bw__trace_event e = event(m, BW_TRACE_STOP, g, 0);
  if (!alive || m->after == BW_AFTER_EXIT)
    e.detail = BW_TRACE_DETAIL(BW_END_DONE, 0);
  else if (m->after == BW_AFTER_YIELD)
    e.detail = BW_TRACE_DETAIL(BW_END_YIELD, 0);
  else if (m->after == BW_AFTER_PARK || m->after == BW_AFTER_PARK_COMMIT)
    e.detail = BW_TRACE_DETAIL(BW_END_PARK, bw__shared_load(&g->reason));
  else
    return; // it stopped when its blocking call began
  record(m, &e, 1, false);
}

// ---- rings and names ----------------------------------------------------------------------------

static bw__trace_ring *make_ring_locked(int m) {
  size_t cap = trace.bytes / sizeof(bw__trace_event);
  if (trace.bytes > PTRDIFF_MAX - sizeof(bw__trace_ring) || cap > UINT32_MAX / 2) return NULL;
  if (cap < LEAST) cap = LEAST;
  bw__trace_ring *r = bw_malloc(sizeof *r + cap * sizeof(bw__trace_event));
  if (!r) return NULL;
  *r = (bw__trace_ring){
      .next = trace.record.rings, .m = m, .serial = ++trace.serials, .cap = (uint32_t)cap};
  trace.record.rings = r;
  return r;
}

void bw__trace_m_made_locked(bw__m *m) {
  if (bw__load(&bw__tracing)) m->ring = make_ring_locked(m->number);
}

// Rings for all there is; false: no memory for some.
static bool make_rings_locked(bw__sched *s) {
  trace.outside = make_ring_locked(-1);
  if (!trace.outside) return false;
  for (bw__m *m = s->ms; m; m = m->all_next)
    if (!(m->ring = make_ring_locked(m->number))) return false;
  return true;
}

static void count_named(bw__g *g, void *count) {
  *(size_t *)count += bw__shared_load(&g->name[0]) != 0;
}

static void add_name(bw__g *g, void *arg) {
  bw__trace_names *names = arg;
  if (!bw__shared_load(&g->name[0]) || names->count == names->cap) return;
  bw__trace_name *n = &names->at[names->count++];
  n->id = bw__shared_load(&g->id);
  for (int i = 0; i < BW_NAME_WORDS; i++) n->name[i] = bw__shared_load(&g->name[i]);
}

// Without memory, or time, their slices have numbers.
static void collect_names(void) {
  size_t n = 0;
  bw__g_each(count_named, &n);
  bw__trace_names *names = n ? bw_malloc(sizeof *names + n * sizeof names->at[0]) : NULL;
  if (!names) return;
  *names = (bw__trace_names){.next = trace.record.names, .cap = n};
  trace.record.names = names;
  bw__g_each(add_name, names);
}

static void free_record(void) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  for (bw__m *m = s->ms; m; m = m->all_next) m->ring = NULL;
  bw__mutex_unlock(&s->lock);
  for (bw__trace_ring *r = trace.record.rings, *next; r; r = next) {
    next = r->next;
    bw_free(r);
  }
  for (bw__trace_names *n = trace.record.names, *next; n; n = next) {
    next = n->next;
    bw_free(n);
  }
  trace.record = (bw__trace_record){.first_serial = trace.serials + 1};
  bw__store_relaxed(&trace.lost, 0);
  trace.outside = NULL;
}

// ---- on and off ---------------------------------------------------------------------------------

static bool claim(trace_mode from) {
  bw__mutex_lock(&trace.lock);
  bool ok = trace.mode == from;
  if (ok) trace.mode = BUSY;
  bw__mutex_unlock(&trace.lock);
  bw__port_mem_sync();
  return ok;
}

static void set_mode(trace_mode mode) {
  bw__mutex_lock(&trace.lock);
  trace.mode = mode;
  bw__mutex_unlock(&trace.lock);
}

static int switch_on(size_t bytes) {
  bw__sched *s = &bw__sched_state;
  bw__mutex_lock(&s->lock);
  trace.bytes = bytes ? bytes : BYTES;
  bool ok = make_rings_locked(s);
  trace.record.began = bw__port_now();
  if (ok) bw__store(&bw__tracing, true);
  bw__mutex_unlock(&s->lock);
  return ok ? BW_OK : BW_ENOMEM;
}

int bw_trace_start(size_t bytes_per_thread) {
  if (!claim(OFF)) return BW_ESTATE;
  free_record();
  collect_names();
  int code = switch_on(bytes_per_thread);
  if (code != BW_OK) free_record();
  set_mode(code == BW_OK ? ON : OFF);
  return code;
}

static void wait_for_ms(bw__sched *s) {
  bw__mutex_lock(&s->lock);
  for (bw__m *m = s->ms; m; m = m->all_next)
    while (bw__load(&m->recording)) bw__port_thread_yield();
  bw__mutex_unlock(&s->lock);
}

void bw_trace_stop(void) {
  if (!claim(ON)) return;
  bw__mutex_lock(&trace.lock); // threads that are no M record under it
  bw__store(&bw__tracing, false);
  bw__mutex_unlock(&trace.lock);
  wait_for_ms(&bw__sched_state);
  trace.record.ended = bw__port_now();
  trace.record.lost = bw__load_relaxed(&trace.lost);
  collect_names();
  set_mode(OFF);
}

bw__trace_record *bw__trace_borrow(void) {
  if (!claim(OFF)) return NULL;
  if (trace.record.rings) return &trace.record;
  set_mode(OFF);
  return NULL;
}

void bw__trace_give_back(void) { set_mode(OFF); }

uint64_t bw_trace_dropped(void) {
  bw__trace_record *record = bw__trace_borrow();
  if (!record) return 0;
  uint64_t n = record->lost;
  for (bw__trace_ring *r = record->rings; r; r = r->next) n += bw__trace_overwritten(r);
  bw__trace_give_back();
  return n;
}

void bw_trace_free(void) {
  if (!claim(OFF)) return;
  free_record();
  set_mode(OFF);
}
