// Deferred calls: scopes and their records.
//
// A scope lies in the frame that opened it and costs that frame a few stores; it is put on the
// goroutine's list (unwind.h) by its first BW_DEFER, which is the one call out of line that the
// usual way in has. The usual way out has one, too: bw__scope_run.
//
// Order. A scope of the open form makes its records' calls first: once there is a record
// (BW__DEFER_RECORDS is set), no slot is filled any more, and of the slots each is filled only
// while no later one is.
//
// Each call leaves its scope before it is made, so that a panic or a Goexit in it goes on with the
// next. A record whose argument lies in itself is kept until the call has returned (which the
// scope's next step shows), or until the panic that ended it is over (unwind.h, I4).
//
// Records from the heap are the allocator's objects, 32 or 48 bytes: its caches are the pool that
// Go keeps for them on each P and beside all Ps.
//
// Locks: none. Blocks: never by itself.
#include "sched/sched.h"
#include "sched/unwind.h"

#include <burrow/alloc.h>

// ---- calls --------------------------------------------------------------------------------------

_Noreturn void bw__defer_nil(void) {
  bw__panic_runtime("runtime error: invalid memory address or nil pointer dereference");
}

static inline void call(bw__deferred_fn fn, bool takes, void *arg, bw_panicking *p) {
  if (BW_UNLIKELY(!fn)) bw__defer_nil();
  if (takes)
    ((void (*)(void *, bw_panicking *))fn)(arg, p);
  else
    ((void (*)(void *))fn)(arg);
}

static void call_record(bw_scope *s, bw_panicking *p) {
  bw__defer_record *r = s->records, mine = *r;
  s->records = r->older;
  if (!r->older) s->bits &= (uint16_t)~BW__DEFER_RECORDS;
  if (r->copied) {
    s->running = r;
    s->is |= BW__SCOPE_RUNNING;
  } else if (r->heap) {
    bw_free(r);
  }
  call(mine.fn, mine.takes, mine.arg, p);
}

static void call_slot(bw_scope *s, bw_panicking *p) {
  unsigned i = 31u - (unsigned)__builtin_clz(s->bits);
  const bw__defer_slot *slot = (const bw__defer_slot *)(s + 1) + i;
  s->bits &= (uint16_t) ~(1u << i);
  call(slot->fn, s->takes >> i & 1, slot->arg, p);
}

bw__defer_record *bw__scope_take_running(bw_scope *s) {
  if (!(s->is & BW__SCOPE_RUNNING)) return NULL;
  s->is &= (uint8_t)~BW__SCOPE_RUNNING;
  s->running->older = NULL;
  return s->running;
}

void bw__scope_free_records(bw__defer_record *r) {
  for (bw__defer_record *older; r; r = older) {
    older = r->older;
    bw_free(r);
  }
}

bool bw__scope_next(bw_scope *s, bw_panicking *p) {
  bw__scope_free_records(bw__scope_take_running(s)); // that call has returned
  if (!s->bits) return false;
  if (s->bits & BW__DEFER_RECORDS)
    call_record(s, p);
  else
    call_slot(s, p);
  return true;
}

void bw__scope_run(bw_scope *s) {
  while (bw__scope_next(s, NULL)) {}
}

// Makes the calls that are left of a scope that control has jumped back to, and takes it off its
// list.
void bw__scope_end(bw_scope *s) {
  bw__scope_run(s);
  bw__unwind_here()->scopes = s->up;
}

// ---- records from the heap ----------------------------------------------------------------------

static void put(bw_scope *s, bw__defer_record *r) {
  r->older = s->bits & BW__DEFER_RECORDS ? s->records : NULL;
  s->records = r;
  s->bits |= BW__DEFER_RECORDS;
}

static _Noreturn BW_NOINLINE void no_record(bw__deferred_fn fn, bool takes, void *arg) {
  call(fn, takes, arg, NULL);
  bw__panic_runtime("runtime error: out of memory");
}

void bw__defer_on_heap(bw_scope *s, bw__deferred_fn fn, bool takes, void *arg) {
  bw__defer_record *r = bw_malloc(sizeof *r);
  if (BW_UNLIKELY(!r)) no_record(fn, takes, arg);
  *r = (bw__defer_record){.fn = fn, .arg = arg, .takes = takes, .heap = true};
  put(s, r);
}

void bw__defer_copied(bw_scope *s, bw__deferred_fn fn, bool takes, const void *arg, size_t size) {
  enum { HEAD = (sizeof(bw__defer_record) + 15) / 16 * 16 };
  bw__defer_record *r = size < PTRDIFF_MAX - HEAD ? bw_malloc(HEAD + size) : NULL;
  if (BW_UNLIKELY(!r)) no_record(fn, takes, (void *)arg);
  *r = (bw__defer_record){NULL, fn, (char *)r + HEAD, takes, true, true};
  memcpy(r->arg, arg, size);
  put(s, r);
}

_Noreturn void bw__defer_unprepared(void) {
  bw__fatal("a deferred function that may recover, in a scope without BW_ON_RECOVER");
}

// ---- looking ------------------------------------------------------------------------------------

static bw_defer_view look(const bw_scope *s) {
  bw_defer_view v = {.form = s->is & BW__SCOPE_OPEN ? BW_DEFER_OPEN : BW_DEFER_STACK,
                     .bits = s->bits & (BW__DEFER_RECORDS - 1)};
  const bw__defer_record *r = s->bits & BW__DEFER_RECORDS ? s->records : NULL;
  for (; r; r = r->older)
    if (r->heap)
      v.heap_records++;
    else
      v.stack_records++;
  return v;
}

size_t bw_defer_look(bw_defer_view *views, size_t most) {
  size_t n = 0;
  for (const bw_scope *s = bw__unwind_here()->scopes; s; s = s->up, n++)
    if (n < most) views[n] = look(s);
  return n;
}
