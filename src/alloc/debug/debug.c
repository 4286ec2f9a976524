// The malloc family of a debug build: each function looks at the object it is given, and does its
// work by the plain allocator's (alloc.c under other names, see alloc/plain_names.h).
//
//   objects.h     a record for each object, in use or in quarantine
//   canary.h      patterns around and in it
//   guard.h       a page behind it that cannot be touched
//   quarantine.h  where it waits after it was freed
//
// Life of an object: laid out in memory of the plain allocator's, canaries and pattern written,
// record inserted. Freed: looked at, filled, put in quarantine; what that pushes out at the other
// end is looked at again and goes to the plain allocator.
//
// A pointer without a record may still be an object: of a first-class heap, or allocated before the
// thread had thread-local variables. The plain allocator's function gets it, and knows what else it
// can be.
//
// Locks: debug, for the records; the plain allocator is called without it.
//
// The entry points are not to be inlined: they ask for the address that they return to.
#include <string.h>

#include "alloc/debug/canary.h"
#include "alloc/debug/guard.h"
#include "alloc/debug/objects.h"
#include "alloc/debug/plain.h"
#include "alloc/debug/quarantine.h"
#include "alloc/debug/report.h"
#include "alloc/pageheap.h"
#include "alloc/sizeclass.h"

// wasm has no return addresses.
#if BW_WASM
#define CALLER() NULL
#else
#define CALLER() __builtin_return_address(0)
#endif

// Set and read without a lock: meant to be set when the program starts.
static bw_alloc_debug_options options = {
    .quarantine_bytes = BW_WASM ? (size_t)256 << 10 : (size_t)4 << 20,
    .guard_from = 4096,
    .guard_one_in = 1000,
};

// ---- making ------------------------------------------------------------------------------------

static bool lay_out_plain(bw__debug_object *o, size_t align, size_t size, bool zeroed) {
  size_t front = align > BW_FRONT ? align : BW_FRONT;
  if (size > BW_PAGEHEAP_MAX_BYTES / 2 || front > BW_PAGEHEAP_MAX_BYTES / 4) return false;
  size_t total = front + size + BW_BACK;
  if (front > BW_FRONT)
    o->base = bw__plain_aligned_alloc(front, total);
  else
    o->base = zeroed ? bw__plain_alloc_zeroed(total) : bw__plain_malloc(total);
  if (!o->base) return false;
  o->user = o->base + front;
  o->end = o->base + bw__plain_usable_size(o->base);
  o->size = size;
  return true;
}

// Memory for an object, filled. False: there is none.
static bool lay_out(bw__debug_object *o, size_t align, size_t size, bool zeroed) {
  memset(o, 0, sizeof *o);
  if (!(bw__guard_wanted(&options, align, size) && bw__guard_alloc(o, align, size, zeroed)) &&
      !lay_out_plain(o, align, size, zeroed))
    return false;
  // Large zeros came as such: most of them may never have been touched.
  bool cleared = zeroed && align <= BW_FRONT && bw__debug_bytes(o) > BW_SIZECLASS_MAX;
  if (!zeroed)
    bw__canary_fill_new(o);
  else if (!cleared)
    memset(o->user, 0, size);
  bw__canary_set(o);
  return true;
}

static bool insert(const bw__debug_object *o) {
  bw__debug_lock();
  bool done = bw__debug_insert(o) != NULL;
  bw__debug_unlock();
  if (!done && (!o->guarded || bw__guard_open(o))) bw__plain_free(o->base);
  return done;
}

// An object; NULL: no memory, not even when all that waits in quarantine goes.
static void *make(size_t align, size_t size, bool zeroed, const void *made_by) {
  bw__debug_object o;
  for (int attempt = 0; attempt < 2; attempt++) {
    if (attempt) bw__quarantine_trim(0, "an allocation");
    if (!lay_out(&o, align, size, zeroed)) continue;
    o.made_by = made_by;
    if (insert(&o)) return o.user;
  }
  return NULL;
}

BW_NOINLINE void *bw_malloc(size_t size) { return make(16, size, false, CALLER()); }

// The caller may use what bw__alloc_round8 says.
BW_NOINLINE void *bw__alloc8(size_t size) {
  return make(16, bw__alloc_round8(size), false, CALLER());
}

BW_NOINLINE void *bw__alloc_zeroed(size_t size) { return make(16, size, true, CALLER()); }

BW_NOINLINE void *bw_calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  return make(16, bytes, true, CALLER());
}

BW_NOINLINE void *bw_aligned_alloc(size_t align, size_t size) {
  if (align == 0 || (align & (align - 1)) != 0) return NULL;
  return make(align, size, false, CALLER());
}

// ---- finding -----------------------------------------------------------------------------------

// Whether `p` is the first byte of what may be an object of the plain allocator's.
static bool is_plain_start(const void *p) {
  bw_alloc_where at;
  if (!bw_alloc_where_is(p, &at)) return false;
  size_t into = (uintptr_t)p - at.span_start;
  return at.size_class ? into % at.object_size == 0 : into == 0;
}

// Ends the program if `p`, which has no record, is in or beside an object of ours. Returns when the
// plain allocator is to be asked.
static void explain(const char *function, const void *p) {
  bw_alloc_where at;
  bw__debug_object o;
  bool is_start = is_plain_start(p);
  bw__debug_lock();
  bw__debug_object *beside =
      is_start ? bw__debug_find((const char *)p + BW_FRONT) : bw__debug_containing((uintptr_t)p);
  if (beside) o = *beside;
  bw__debug_unlock();
  if (beside) bw__report_inside(function, &o, p);
  if (!is_start && bw_alloc_where_is(p, &at)) bw__report_gone(function, p);
}

// The record of `p`, an object in use and without damage, with bw__debug_mu held. NULL, and the
// lock not held: it has none, ask the plain allocator. Ends the program in all other cases.
static bw__debug_object *enter(const char *function, const void *p) {
  bw__debug_lock();
  bw__debug_object *o = bw__debug_find(p);
  if (!o) {
    bw__debug_unlock();
    explain(function, p);
    return NULL;
  }
  bw__damage d = bw__canary_damage(o);
  if (!o->freed && !d.found) return o;
  bw__debug_object copy = *o;
  bw__debug_unlock();
  if (copy.freed) bw__report_freed(function, &copy);
  bw__report_damage(&copy, d, function);
}

// ---- freeing -----------------------------------------------------------------------------------

// Ends what `enter` began.
static void discard(bw__debug_object *o, const char *function, const void *freed_by) {
  o->freed = true;
  o->freed_by = freed_by;
  if (o->guarded) bw__guard_seal(o);
  if (!o->sealed) bw__canary_fill_freed(o);
  bw__quarantine_put(o);
  bool full = bw__quarantine_read().bytes > options.quarantine_bytes;
  bw__debug_unlock();
  if (full) bw__quarantine_trim(options.quarantine_bytes, function);
}

BW_NOINLINE void bw_free(void *p) {
  bw__debug_object *o = p ? enter("bw_free", p) : NULL;
  if (o)
    discard(o, "bw_free", CALLER());
  else
    bw__plain_free(p);
}

// The same for an object that must be `size` bytes long. False: it has no record.
static bool free_sized(const char *function, void *p, size_t size, const void *freed_by) {
  if (!p) return true;
  bw__debug_object *o = enter(function, p);
  if (!o) return false;
  if (o->size != size) {
    bw__debug_object copy = *o;
    bw__debug_unlock();
    bw__report_size(function, &copy, size);
  }
  discard(o, function, freed_by);
  return true;
}

BW_NOINLINE void bw_free_sized(void *p, size_t size) {
  if (!free_sized("bw_free_sized", p, size, CALLER())) bw__plain_free_sized(p, size);
}

BW_NOINLINE void bw__free_exact(void *p, size_t size) {
  if (!free_sized("operator delete", p, size, CALLER())) bw__plain_free_exact(p, size);
}

BW_NOINLINE void bw_free_aligned_sized(void *p, size_t align, size_t size) {
  bool aligned = ((uintptr_t)p & (align - 1)) == 0;
  if (!aligned || !free_sized("bw_free_aligned_sized", p, size, CALLER()))
    bw__plain_free_aligned_sized(p, align, size);
}

// ---- sizes, realloc ----------------------------------------------------------------------------

BW_NOINLINE size_t bw_malloc_usable_size(const void *p) {
  if (!p) return 0;
  bw__debug_object *o = enter("bw_malloc_usable_size", p);
  if (!o) return bw__plain_usable_size(p);
  size_t size = o->size;
  bw__debug_unlock();
  return size;
}

size_t bw_malloc_good_size(size_t size) { return size; }

static void shrink_in_place(void *p, size_t size) {
  bw__debug_object *o = enter("bw_realloc", p);
  o->size = size;
  bw__canary_set(o);
  bw__debug_unlock();
}

// Always moves, so that the old pointer is seen for what it is; but where there is no memory for
// that, what is to become smaller stays.
BW_NOINLINE void *bw_realloc(void *p, size_t size) {
  if (!p) return make(16, size, false, CALLER());
  bw__debug_object *o = enter("bw_realloc", p);
  if (!o) return bw__plain_realloc(p, size);
  if (size == 0) {
    discard(o, "bw_realloc", CALLER());
    return NULL;
  }
  size_t old = o->size;
  bw__debug_unlock();
  void *moved = make(16, size, false, CALLER());
  if (!moved) {
    if (size > old) return NULL;
    shrink_in_place(p, size);
    return p;
  }
  memcpy(moved, p, size < old ? size : old);
  discard(enter("bw_realloc", p), "bw_realloc", CALLER());
  return moved;
}

// ---- looking and releasing ----------------------------------------------------------------------

// What waits in quarantine counts as freed.
void bw_alloc_stats_read(bw_alloc_stats *out) {
  bw__plain_stats_read(out);
  bw__debug_lock();
  bw__quarantine_totals waiting = bw__quarantine_read();
  bw__debug_unlock();
  out->frees += waiting.objects;
  out->live_bytes -= waiting.bytes;
  out->large_bytes -= waiting.large_bytes;
}

size_t bw_alloc_release(void) {
  bw__quarantine_trim(0, "bw_alloc_release");
  return bw__plain_release();
}

bool bw_alloc_check(void) {
  bool whole = true;
  bw__debug_lock();
  for (bw__debug_object *o = bw__debug_next(NULL); o; o = bw__debug_next(o)) {
    bw__damage d = bw__canary_damage(o);
    if (!d.found) continue;
    bw__report_line(o, d, "bw_alloc_check");
    whole = false;
  }
  bw__debug_unlock();
  return whole;
}

bool bw_alloc_check_object(const void *p) {
  bw__debug_lock();
  bw__debug_object *o = bw__debug_find(p);
  bw__damage d = o ? bw__canary_damage(o) : (bw__damage){false, 0, 0};
  if (d.found) bw__report_line(o, d, "bw_alloc_check_object");
  bool is_object = o && !o->freed;
  bw__debug_unlock();
  if (d.found) return false;
  if (!o) is_object = is_plain_start(p);
  if (!is_object) bw__report_no_object(p, "bw_alloc_check_object");
  return is_object;
}

bool bw_alloc_debug_get(bw_alloc_debug_options *out) {
  *out = options;
  return true;
}

bool bw_alloc_debug_set(const bw_alloc_debug_options *wanted) {
  options = *wanted;
  bw__quarantine_trim(options.quarantine_bytes, "bw_alloc_debug_set");
  return true;
}
