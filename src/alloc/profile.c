// The heap profiler: samples, the stacks they came from, and sums of both.
//
//   trace    a stack, once, with its sites
//   site     a trace and a size: counts of sampled objects made and freed
//   sample   one sampled object that is in use; its span points to it
//
// Nothing on the fast paths knows of this. While a profile runs no thread has a cache to be fast
// with (bw__cache_set_watched), so every malloc arrives in bw__cache_alloc_slow, which counts it
// here. A sampled object, however small, gets a span: so free() finds it on the path of large
// objects, exactly and without a table of sampled addresses that every free would have to look at.
// It keeps its class (bw__profile_class): its size, what realloc and sized frees make of it, are
// those of any other object of the class.
//
// Sites have one size each, not a sum of different ones: an object's chance to be sampled follows
// from its size, and only what had the same chance can be scaled up together.
//
// A large object that changes its size in place stays as fairly sampled as any: a sample remembers
// where in the object its first point fell. When it shrinks below that point it is none any more;
// when an object that is no sample grows, the new bytes are counted as an allocation's.
//
// Traces and sites are never freed; a new profile sets the counts to zero. Samples of an older
// profile (round) are still freed, but count nowhere.
//
// Locks: profile.mu; under it the page heap's (for records). Stacks are captured before it is
// taken. Nothing is called with it held, so what walks may allocate.
//
// Rejected: backtrace() of glibc (its first call allocates, it loads libgcc_s); frame pointers
// (neither libc nor a program built with -O2 has them: stacks would end after a frame or lead
// astray).
#include "alloc/profile.h"

#include <burrow/alloc.h>
#include <burrow/error.h>
#include <string.h>

#include "alloc/alloc.h"
#include "alloc/cache.h"
#include "alloc/fork.h"
#include "alloc/object.h"
#include "alloc/pageheap.h"
#include "lock/mutex.h"
#include "port/port.h"

typedef struct site site;

typedef struct trace {
  struct trace *next;        // all of them
  struct trace *next_bucket; // of its bucket
  site *sites;               // under mu
  uint64_t hash;             // this and below: r/o
  unsigned depth;
  uintptr_t frames[];
} trace;

struct site {
  site *next; // of its trace
  trace *from;
  size_t size;
  uint64_t allocs, frees; // under mu
};

struct bw__sample {
  bw__sample *next; // in the free list
  site *site;
  size_t point;        // the first byte of the object that is a sample
  uint32_t round;      // the profile it belongs to
  unsigned size_class; // r/o while it is in use
};

enum { BUCKETS = 8192, SAMPLES_AT_ONCE = 64, OWN_FRAMES = 12 };

static struct {
  bw__mutex mu;
  bool running;        // under mu, as all that follows
  uint32_t round;      // 0: there was none yet
  uint64_t rate;       // of the profile there is
  trace **buckets;     // BUCKETS of them
  trace *traces;       // all
  bw__sample *samples; // free
  bw__sampler sampler; // of threads without a cache
} profile = {.mu = BW_MUTEX_INIT(BW_RANK_PROFILE), .rate = BW_PROFILE_RATE};

static void lock(void) {
  bw__mutex_lock(&profile.mu);
  bw__port_mem_sync(); // records may lie in memory that another thread grew
}

static void unlock(void) { bw__mutex_unlock(&profile.mu); }

void bw__profile_fork_before(void) { lock(); }

void bw__profile_fork_after(void) { unlock(); }

// ---- stacks
// --------------------------------------------------------------------------------------

typedef struct {
  uintptr_t frames[BW_PROFILE_FRAMES];
  unsigned depth;
} stack;

// Where BW_ALLOC_CODE is; the linker says it.
#if BW_WASM
static bool is_own(uintptr_t address) { return address == 0; }
#else
#define HIDDEN __attribute__((visibility("hidden"))) // this program's or library's own
extern const char own_start[] __asm__("__start_bw_alloc") HIDDEN;
extern const char own_stop[] __asm__("__stop_bw_alloc") HIDDEN;

static bool is_own(uintptr_t address) {
  return address - (uintptr_t)own_start <= (size_t)(own_stop - own_start);
}
#endif

// The stack without the allocator's own frames, of which one of the first few is the last.
static BW_NOINLINE void capture(stack *out) {
  uintptr_t frames[OWN_FRAMES + BW_PROFILE_FRAMES];
  unsigned n = bw__port_backtrace(frames, OWN_FRAMES + BW_PROFILE_FRAMES), own = 0;
  for (unsigned i = 0; i < n && i < OWN_FRAMES; i++)
    if (is_own(frames[i])) own = i + 1;
  out->depth = n - own < BW_PROFILE_FRAMES ? n - own : BW_PROFILE_FRAMES;
  for (unsigned i = 0; i < out->depth; i++) out->frames[i] = frames[own + i];
}

static uint64_t hash_of(const stack *s) {
  uint64_t h = s->depth;
  for (unsigned i = 0; i < s->depth; i++) h = bw__rand_mix(h + s->frames[i]);
  return h;
}

static bool is_of(const trace *t, uint64_t hash, const stack *s) {
  return t->hash == hash && t->depth == s->depth &&
         memcmp(t->frames, s->frames, s->depth * sizeof s->frames[0]) == 0;
}

// NULL: no memory.
static trace *trace_locked(const stack *s) {
  uint64_t hash = hash_of(s);
  trace **bucket = &profile.buckets[hash % BUCKETS];
  for (trace *t = *bucket; t; t = t->next_bucket)
    if (is_of(t, hash, s)) return t;
  trace *t = bw__pageheap_record(sizeof *t + s->depth * sizeof t->frames[0]);
  if (!t) return NULL;
  t->hash = hash;
  t->depth = s->depth;
  for (unsigned i = 0; i < s->depth; i++) t->frames[i] = s->frames[i];
  t->next_bucket = *bucket;
  *bucket = t;
  t->next = profile.traces;
  profile.traces = t;
  return t;
}

static site *site_locked(trace *t, size_t size) {
  for (site *at = t->sites; at; at = at->next)
    if (at->size == size) return at;
  site *at = bw__pageheap_record(sizeof *at);
  if (!at) return NULL;
  *at = (site){.next = t->sites, .from = t, .size = size};
  t->sites = at;
  return at;
}

// ---- samples
// -------------------------------------------------------------------------------------

static bw__sample *take_sample_locked(void) {
  if (!profile.samples) {
    bw__sample *more = bw__pageheap_record(SAMPLES_AT_ONCE * sizeof *more);
    for (int i = 0; more && i < SAMPLES_AT_ONCE; i++) {
      more[i].next = profile.samples;
      profile.samples = &more[i];
    }
  }
  bw__sample *sample = profile.samples;
  if (sample) profile.samples = sample->next;
  return sample;
}

static bw__sample *make_locked(const stack *from, size_t bytes) {
  trace *t = profile.running ? trace_locked(from) : NULL;
  site *at = t ? site_locked(t, bytes) : NULL;
  bw__sample *sample = at ? take_sample_locked() : NULL;
  if (!sample) return NULL;
  at->allocs++;
  *sample = (bw__sample){.site = at, .round = profile.round};
  return sample;
}

// Makes the object of `bytes` in `s`, which nobody else knows yet, a sample. False: no memory for
// the record, or the profile has just been stopped.
static bool mark(bw__span *s, size_t bytes, unsigned size_class, size_t point) {
  stack from;
  capture(&from);
  lock();
  bw__sample *sample = make_locked(&from, bytes);
  unlock();
  if (!sample) return false;
  sample->size_class = size_class;
  sample->point = point;
  s->sample = sample;
  return true;
}

static bool is_due(bw__sampler *s, size_t bytes, size_t *point) {
  if (BW_LIKELY(s)) return bw__sampler_due(s, bytes, point);
  lock();
  bool due = bw__sampler_due(&profile.sampler, bytes, point);
  unlock();
  return due;
}

BW_NOINLINE void *bw__profile_alloc(bw__sampler *sampler, unsigned c) {
  size_t bytes = bw__sizeclass_sizes[c], point;
  if (BW_LIKELY(!is_due(sampler, bytes, &point))) return NULL;
  bw__span *s = bw__pageheap_alloc(bw__pageheap_pages_for(bytes), 0);
  if (!s) return NULL;
  if (mark(s, bytes, c, point)) return bw__object_large(s);
  bw__pageheap_free_large((void *)s->start);
  return NULL;
}

BW_NOINLINE void bw__profile_large(bw__span *s) {
  size_t point;
  if (is_due(bw__cache_sampler(), bw__span_bytes(s), &point)) mark(s, bw__span_bytes(s), 0, point);
}

static void move_sample(bw__sample *sample, size_t bytes) {
  lock();
  site *to = site_locked(sample->site->from, bytes);
  if (to && sample->round == profile.round) {
    sample->site->frees++;
    to->allocs++;
  }
  if (to) sample->site = to;
  unlock();
}

BW_NOINLINE void bw__profile_resized(bw__span *s, size_t old_bytes) {
  size_t bytes = bw__span_bytes(s), point;
  bw__sample *sample = s->sample;
  if (sample && sample->point >= bytes) {
    s->sample = NULL;
    bw__profile_freed(sample);
  } else if (sample) {
    move_sample(sample, bytes);
  } else if (bytes > old_bytes && bw__cache_is_watched() &&
             is_due(bw__cache_sampler(), bytes - old_bytes, &point)) {
    mark(s, bytes, 0, old_bytes + point);
  }
}

void bw__profile_freed(bw__sample *sample) {
  lock();
  if (sample->round == profile.round) sample->site->frees++;
  sample->next = profile.samples;
  profile.samples = sample;
  unlock();
}

unsigned bw__profile_class(const bw__sample *sample) { return sample->size_class; }

// ---- start and stop
// ------------------------------------------------------------------------------

static void clear_counts_locked(void) {
  for (trace *t = profile.traces; t; t = t->next)
    for (site *at = t->sites; at; at = at->next) at->allocs = at->frees = 0;
}

static int start_locked(uint64_t rate, uint64_t seed) {
  if (profile.running) return BW_ESTATE;
  if (!profile.buckets) profile.buckets = bw__pageheap_record(BUCKETS * sizeof(trace *));
  if (!profile.buckets) return BW_ENOMEM;
  clear_counts_locked();
  bw__sampler_start(rate, seed);
  profile.round = bw__load_relaxed(&bw__sampler_round);
  profile.rate = rate;
  profile.running = true;
  bw__cache_set_watched(true);
  return BW_OK;
}

int bw_profile_heap_start(const bw_profile_heap_options *options) {
  uint64_t rate = options && options->rate ? options->rate : BW_PROFILE_RATE;
  uint64_t seed = options ? options->seed : 0;
  if (rate > BW_SAMPLER_MEAN_MOST) return BW_EINVAL;
  if (!seed) seed = (uint64_t)bw__port_now() ^ bw__port_seed();
  stack unused;
  capture(&unused); // whatever an unwinder prepares at its first use, it does now
  lock();
  int code = start_locked(rate, seed);
  unlock();
  return code;
}

void bw_profile_heap_stop(void) {
  lock();
  if (profile.running) bw__cache_set_watched(false);
  profile.running = false;
  unlock();
}

// ---- looking
// -------------------------------------------------------------------------------------

uint64_t bw__profile_rate(void) {
  lock();
  uint64_t rate = profile.rate;
  unlock();
  return rate;
}

// The site that comes after *t, *at in a walk over all of them; false: none does. NULL: begin.
static bool next_locked(trace **t, site **at) {
  *at = *at ? (*at)->next : NULL;
  while (!*at) {
    *t = *t ? (*t)->next : profile.traces;
    if (!*t) return false;
    *at = (*t)->sites;
  }
  return true;
}

void bw_profile_heap_walk(bool (*visit)(const bw_profile_heap_site *site, void *arg), void *arg) {
  trace *t = NULL;
  site *at = NULL;
  for (bool more = true; more;) {
    bw_profile_heap_site s = {0};
    lock();
    more = next_locked(&t, &at);
    if (more) {
      s = (bw_profile_heap_site){t->frames, t->depth, at->size, at->allocs, at->frees, 0};
      s.scale = bw__sampler_scale(at->size, profile.rate);
    }
    unlock();
    if (s.allocs && !visit(&s, arg)) return;
  }
}

static bw__profile_use use_locked(const trace *t) {
  bw__profile_use use = {.frames = t->frames, .depth = t->depth, .id = t};
  double objects = 0, bytes = 0;
  for (const site *at = t->sites; at; at = at->next) {
    double n = (double)(at->allocs - at->frees) * bw__sampler_scale(at->size, profile.rate);
    objects += n;
    bytes += n * (double)at->size;
  }
  use.objects = (uint64_t)(objects + 0.5);
  use.bytes = (uint64_t)(bytes + 0.5);
  return use;
}

static bool comes_after(const bw__profile_use *use, const bw__profile_use *other) {
  return use->bytes < other->bytes ||
         (use->bytes == other->bytes && (uintptr_t)use->id < (uintptr_t)other->id);
}

bool bw__profile_next_use(bw__profile_use *use) {
  bw__profile_use best = {0};
  lock();
  for (const trace *t = profile.traces; t; t = t->next) {
    bw__profile_use here = use_locked(t);
    if (here.objects && comes_after(&here, use) && (!best.objects || comes_after(&best, &here)))
      best = here;
  }
  unlock();
  if (best.objects) *use = best;
  return best.objects != 0;
}

unsigned bw__profile_total_use(bw__profile_use *total) {
  unsigned stacks = 0;
  *total = (bw__profile_use){0};
  lock();
  for (const trace *t = profile.traces; t; t = t->next) {
    bw__profile_use here = use_locked(t);
    total->objects += here.objects;
    total->bytes += here.bytes;
    stacks += here.objects != 0;
  }
  unlock();
  return stacks;
}
