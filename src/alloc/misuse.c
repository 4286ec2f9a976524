// Messages about misuse name the pointer, the size class and the state of its span: all that is
// known without the program's help. They are written without allocating and without a lock of the
// scheduler's; the page heap's lock is taken and left before.
#include "alloc/misuse.h"

#include "alloc/alloc.h"
#include "alloc/heap.h"
#include "alloc/pageheap.h"
#include "base/text.h"
#include "port/port.h"

void bw__misuse_print(const char *text) {
  char buffer[320];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "fatal error: %s\n", text);
  bw__port_write(2, t.data, t.len);
}

static _Noreturn void print_and_exit(const char *text) {
  bw__misuse_print(text);
  bw__port_exit(2);
}

static void end_program(const char *text) { print_and_exit(text); }

void (*bw__alloc_fatal)(const char *text) = end_program;

// A second report by the same thread comes from what the first one set off (a handler for SIGABRT
// that allocates, say): it ends the program there and then.
static _Thread_local bool dying;

_Noreturn void bw__misuse_end(const char *text) {
  if (dying) print_and_exit(text);
  dying = true;
  if (!BW_WASM) bw__alloc_fatal(text); // see alloc.h
  print_and_exit(text);
}

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

// "the heap \"name\" at 0x.."
static void describe_heap(bw__text *t, const bw_heap *h) {
  const char *name = bw__heap_name(h);
  bw__text_format(t, name[0] ? "the heap \"%s\" at %p" : "the heap%s at %p", name, (const void *)h);
}

static void describe_owner(bw__text *t, const bw_alloc_where *at) {
  if (!at->owner) return;
  bw__text_format(t, ", in ");
  describe_heap(t, at->owner);
}

// "object 3 of size class 5 (48 bytes) in the span at 0x.. with 12 of 170 objects in use"
static void describe_object(bw__text *t, const bw_alloc_where *at) {
  bw__text_format(t, "object %zu of size class %d (%zu bytes) in the span at %p", at->object_index,
                  at->size_class, at->object_size, (void *)at->span_start);
  bw__text_format(t, " with %zu of %zu objects in use", at->span_in_use, at->span_objects);
  describe_owner(t, at);
}

static void describe_large(bw__text *t, const bw_alloc_where *at) {
  size_t pages = at->span_bytes / BW_PAGE_SIZE;
  bw__text_format(t, "the large object at %p (%zu bytes, a span of %zu page%s)",
                  (void *)at->span_start, at->object_size, pages, plural(pages));
  describe_owner(t, at);
}

static void describe_used(bw__text *t, const bw_alloc_where *at, const void *p) {
  size_t into = (uintptr_t)p - at->span_start - at->object_index * at->object_size;
  if (at->object_index >= at->span_objects) {
    bw__text_format(t, "%p is in the unused tail of the span at %p of size class %d (%zu bytes)", p,
                    (void *)at->span_start, at->size_class, at->object_size);
  } else if (into) {
    bw__text_format(t, "%p points %zu byte%s into ", p, into, plural(into));
    (at->size_class ? describe_object : describe_large)(t, at);
  } else {
    bw__text_format(t, "double free of %p, ", p);
    (at->size_class ? describe_object : describe_large)(t, at);
  }
}

_Noreturn BW_NOINLINE void bw__misuse_pointer(const char *function, const void *p) {
  char buffer[256];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw_alloc_where at;
  bw_alloc_span free_span;
  bw__text_format(&t, "%s: ", function);
  if (bw__pageheap_where((uintptr_t)p, &at))
    describe_used(&t, &at, p);
  else if (bw__pageheap_free_span((uintptr_t)p, &free_span))
    bw__text_format(&t, "double free or wild pointer: %p is in a free span of %zu pages at %p", p,
                    free_span.bytes / BW_PAGE_SIZE, (void *)free_span.start);
  else if (bw__pageheap_in_records((uintptr_t)p))
    bw__text_format(&t, "double free or wild pointer: %p is in the allocator's own records", p);
  else
    bw__text_format(&t, "%p was not allocated by Burrow", p);
  bw__misuse_end(t.data);
}

_Noreturn BW_NOINLINE void bw__misuse_size(const char *function, const void *p, size_t size) {
  char buffer[256];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw_alloc_where at;
  bw__text_format(&t, "%s: %p is freed as %zu byte%s, but is ", function, p, size, plural(size));
  if (bw__pageheap_where((uintptr_t)p, &at))
    (at.size_class ? describe_object : describe_large)(&t, &at);
  bw__misuse_end(t.data);
}

_Noreturn BW_NOINLINE void bw__misuse_heap(const char *function, const bw_heap *h) {
  char buffer[256];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%s: ", function);
  describe_heap(&t, h);
  bw__text_format(&t, " was destroyed");
  bw__misuse_end(t.data);
}

_Noreturn BW_NOINLINE void bw__misuse_foreign(const char *function, const void *p,
                                              const bw_heap *h) {
  char buffer[256];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%s: %p is not in ", function, p);
  describe_heap(&t, h);
  bw__misuse_end(t.data);
}

_Noreturn BW_NOINLINE void bw__chain_broken(const void *object) {
  char buffer[256];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw_alloc_where at;
  bw__text_format(&t, "free list broken: %p was written to after it was freed; it is ", object);
  if (bw__pageheap_where((uintptr_t)object, &at)) describe_object(&t, &at);
  bw__misuse_end(t.data);
}
