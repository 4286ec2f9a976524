#include "alloc/debug/report.h"

#include "alloc/misuse.h"
#include "base/text.h"
#include "port/port.h"

enum { TEXT_MOST = 280 };

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

// "0x7f00 (100 bytes, allocated by 0x5500, freed by 0x5508)"
static void describe(bw__text *t, const bw__debug_object *o) {
  bw__text_format(t, "%p (%zu byte%s", (void *)o->user, o->size, plural(o->size));
  if (o->made_by) bw__text_format(t, ", allocated by %p", o->made_by);
  if (o->freed && o->freed_by) bw__text_format(t, ", freed by %p", o->freed_by);
  bw__text_format(t, ")");
}

static const char *what_happened(const bw__debug_object *o, ptrdiff_t offset) {
  if (o->freed) return "after it was freed";
  return offset < 0 ? "before its start" : "past its end";
}

static void describe_damage(bw__text *t, const bw__debug_object *o, bw__damage d,
                            const char *found_by) {
  describe(t, o);
  bw__text_format(t, " was written to %s: the byte at offset %lld is 0x%x (found by %s)",
                  what_happened(o, d.offset), (long long)d.offset, d.byte, found_by);
}

static void write_line(bw__text *t) {
  bw__text_bytes(t, "\n", 1);
  bw__port_write(2, t->data, t->len);
}

_Noreturn void bw__report_damage(const bw__debug_object *o, bw__damage d, const char *found_by) {
  char buffer[TEXT_MOST];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  describe_damage(&t, o, d, found_by);
  bw__misuse_end(t.data);
}

_Noreturn void bw__report_freed(const char *function, const bw__debug_object *o) {
  char buffer[TEXT_MOST];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%s: double free of ", function);
  describe(&t, o);
  bw__misuse_end(t.data);
}

_Noreturn void bw__report_inside(const char *function, const bw__debug_object *o, const void *p) {
  char buffer[TEXT_MOST];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bool before = (uintptr_t)p < (uintptr_t)o->user;
  size_t into = before ? (size_t)(o->user - (const char *)p) : (size_t)((const char *)p - o->user);
  bw__text_format(&t, "%s: %p points %zu byte%s %s object ", function, p, into, plural(into),
                  before ? "before" : "into");
  describe(&t, o);
  bw__misuse_end(t.data);
}

_Noreturn void bw__report_gone(const char *function, const void *p) {
  char buffer[TEXT_MOST];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%s: double free or wild pointer: %p is in no object in use", function, p);
  bw__misuse_end(t.data);
}

_Noreturn void bw__report_size(const char *function, const bw__debug_object *o, size_t size) {
  char buffer[TEXT_MOST];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%s: %p is freed as %zu byte%s, but is object ", function, (void *)o->user,
                  size, plural(size));
  describe(&t, o);
  bw__misuse_end(t.data);
}

void bw__report_line(const bw__debug_object *o, bw__damage d, const char *found_by) {
  char buffer[TEXT_MOST];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  describe_damage(&t, o, d, found_by);
  write_line(&t);
}

void bw__report_no_object(const void *p, const char *found_by) {
  char buffer[TEXT_MOST];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "%p is no object in use (found by %s)", p, found_by);
  write_line(&t);
}

// ---- faults ------------------------------------------------------------------------------------

void bw__report_fault(uintptr_t address, uintptr_t sp) {
  (void)sp;
  const bw__debug_object *o = bw__debug_containing(address);
  if (!o || !o->guarded) return;
  char buffer[TEXT_MOST];
  bw__text t = bw__text_on(buffer, sizeof buffer);
  bw__text_format(&t, "fatal error: access %s ", o->freed ? "after free to" : "past the end of");
  describe(&t, o);
  bw__text_format(&t, ", at offset %lld", (long long)(address - (uintptr_t)o->user));
  write_line(&t);
}
