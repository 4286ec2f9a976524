// The walk over the objects of one span: a picture is taken under the span's lock, and shown
// without any.
//
// Whose lock that is depends on the span. A span of a size class is found under the page heap's
// lock, which a class's lock must not be taken under: so its class is looked up first, then the
// class's lock is taken and the span looked up again. If it is of that class still and has an
// object in use, it stays so as long as the lock is held. (With none in use it is on its way to the
// page heap, and nobody's.)
//
// That keeps the span, but not what is in its objects: those in use are the program's, those in a
// cache their thread's, and both are written meanwhile. One word of each is read, which is whole.
#include <string.h>

#include "alloc/central.h"
#include "alloc/heap.h"
#include "alloc/object.h"
#include "alloc/pageheap.h"

enum { OBJECTS_MOST = 1024 }; // of the class with the smallest objects

typedef struct {
  uintptr_t start;
  size_t size, count;
  uint8_t states[OBJECTS_MOST]; // bw_object_state
} picture;

// noinline: what is inlined elsewhere is looked at by the sanitizers again.
BW_NOINLINE BW_NOT_SANITIZED static uint64_t word_of(const void *object) {
  return *(const volatile uint64_t *)object;
}

// In a heap a link leads into the same span, which makes the test sharper.
static bool is_free(const bw__span *s, const void *object) {
  uint64_t word = word_of(object);
  if (s->state == SPAN_HEAP) return bw__heap_is_free_locked(s, object, word);
  return bw__object_is_link(word ^ bw__chain_mask(object), s->size_class);
}

static void take_objects(picture *p, const bw__span *s) {
  bw_size_class row = bw__sizeclass_rows[s->size_class];
  p->start = s->start;
  p->size = row.size;
  p->count = row.objects;
  memset(p->states, BW_OBJECT_UNUSED, sizeof p->states);
  for (unsigned i = 0; i < s->carved; i++)
    p->states[i] =
        is_free(s, (const void *)(p->start + i * p->size)) ? BW_OBJECT_FREE : BW_OBJECT_IN_USE;
}

static void take_large(picture *p, uintptr_t start, size_t bytes) {
  *p = (picture){.start = start, .size = bytes, .count = 1, .states = {BW_OBJECT_IN_USE}};
}

static bool picture_of_heap(picture *p, const void *address) {
  bw__span *s;
  bw_heap *h = bw__heap_lock_owner(address, &s);
  if (!h) return false;
  if (s->size_class)
    take_objects(p, s);
  else
    take_large(p, s->start, bw__span_bytes(s));
  bw__heap_unlock(h);
  return true;
}

static bool picture_of_class(picture *p, uintptr_t address, int size_class) {
  bw_alloc_where at;
  bw__central_lock((unsigned)size_class);
  bool found = bw__pageheap_where(address, &at) && at.size_class == size_class && !at.owner &&
               at.span_in_use > 0;
  if (found) take_objects(p, bw__pagemap_span(address));
  bw__central_unlock((unsigned)size_class);
  return found;
}

static bool take_picture(picture *p, const void *address) {
  bw_alloc_where at;
  if (picture_of_heap(p, address)) return true;
  if (!bw__pageheap_where((uintptr_t)address, &at)) return false;
  if (at.size_class) return picture_of_class(p, (uintptr_t)address, at.size_class);
  take_large(p, at.span_start, at.span_bytes);
  return true;
}

bool bw_alloc_walk_objects(const void *ptr, bool (*visit)(const bw_alloc_object *o, void *arg),
                           void *arg) {
  picture p;
  bw_alloc_where at;
  // What the debug build keeps in quarantine may be inaccessible.
  if (BW_ALLOC_DEBUG && !(bw_alloc_where_is(ptr, &at) && at.owner)) return false;
  if (!take_picture(&p, ptr)) return false;
  for (size_t i = 0; i < p.count; i++) {
    bw_alloc_object o = {p.start + i * p.size, p.size, (bw_object_state)p.states[i]};
    if (!visit(&o, arg)) break;
  }
  return true;
}
