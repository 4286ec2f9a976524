// The layout of structs by the three rules, and the order with the least padding.
//
// Which order is best? When every size is a multiple of its alignment, which C's types keep to, any
// order of falling alignments: after a field of alignment a the offset is a multiple of a, and so
// of each alignment to come, and no byte is lost but at the end, where every order loses what is
// left to the struct's alignment. Only members with an _Alignas of their own break that. Packing
// these perfectly is a bin-packing problem; here each next field is the most aligned of those that
// need no padding where they would come, or if all need some the one that needs least. If that is
// no gain over the given order, that is kept.
//
// Locks: none. Blocks: never.
#include <burrow/layout.h>

#include "base/config.h"
#include "base/text.h"

static size_t align_of(const bw_layout_field *f) { return f->align ? f->align : 1; }

static size_t gap_at(size_t offset, size_t align) { return (0 - offset) & (align - 1); }

static size_t add(size_t a, size_t b) { return b > SIZE_MAX - a ? SIZE_MAX : a + b; }

bw_layout bw_layout_compute(bw_layout_field *fields, int count) {
  bw_layout all = {0, 1, 0, 0};
  for (int i = 0; i < count; i++) {
    bw_layout_field *f = &fields[i];
    f->padding = gap_at(all.size, align_of(f)); // rule 2
    f->offset = add(all.size, f->padding);
    all.size = add(f->offset, f->size);
    all.padding += f->padding;
    if (align_of(f) > all.align) all.align = align_of(f); // rule 1
  }
  if (all.size == SIZE_MAX) return all;
  all.tail = gap_at(all.size, all.align); // rule 3
  all.size = add(all.size, all.tail);
  all.padding += all.tail;
  return all;
}

// Whether a should come at this offset rather than b.
static bool better(const bw_layout_field *a, const bw_layout_field *b, size_t offset) {
  size_t gap_a = gap_at(offset, align_of(a)), gap_b = gap_at(offset, align_of(b));
  if (gap_a != gap_b) return gap_a < gap_b;
  if (align_of(a) != align_of(b)) return align_of(a) > align_of(b);
  return a->size > b->size;
}

bw_layout bw_layout_best(const bw_layout_field *fields, int count, bw_layout_field *out) {
  for (int i = 0; i < count; i++) out[i] = fields[i];
  bw_layout given = bw_layout_compute(out, count);
  size_t offset = 0;
  for (int i = 0; i < count; i++) {
    int next = i;
    for (int k = i + 1; k < count; k++)
      if (better(&out[k], &out[next], offset)) next = k;
    bw_layout_field f = out[next];
    for (; next > i; next--) out[next] = out[next - 1]; // those left stay in their order
    out[i] = f;
    offset = add(offset, add(gap_at(offset, align_of(&f)), f.size));
  }
  bw_layout all = bw_layout_compute(out, count);
  if (all.size < given.size) return all;
  for (int i = 0; i < count; i++) out[i] = fields[i];
  return bw_layout_compute(out, count);
}

// ---- text ---------------------------------------------------------------------------------------

typedef struct {
  char *out;
  size_t cap, len; // len: of all, also what did not fit
} page;

static void write_bytes(page *p, const char *text, size_t n) {
  for (size_t i = 0; i < n; i++, p->len++)
    if (p->len + 1 < p->cap) p->out[p->len] = text[i];
}

static void write_column(page *p, const char *text, size_t width) {
  for (size_t n = strlen(text); n < width; n++) write_bytes(p, " ", 1);
  write_bytes(p, text, strlen(text));
}

static void write_number(page *p, size_t number, size_t width) {
  char digits[24];
  bw__text t = bw__text_on(digits, sizeof digits);
  bw__text_unsigned(&t, number, 10);
  write_column(p, digits, width);
}

static void write_row(page *p, size_t offset, size_t size, size_t align, const char *name) {
  write_number(p, offset, 6);
  write_number(p, size, 7);
  if (align)
    write_number(p, align, 7);
  else
    write_column(p, "", 7);
  write_bytes(p, "  ", 2);
  write_bytes(p, name, strlen(name));
  write_bytes(p, "\n", 1);
}

static void write_total(page *p, const char *before, size_t number) {
  write_bytes(p, before, strlen(before));
  write_number(p, number, 0);
}

size_t bw_layout_text(const bw_layout_field *fields, int count, bw_layout all, size_t line,
                      char *out, size_t cap) {
  page p = {out, cap, 0};
  write_bytes(&p, "offset   size  align  name\n", 27);
  size_t begun = 0; // the line of the last row
  for (int i = 0; i < count; i++) {
    const bw_layout_field *f = &fields[i];
    if (f->padding) write_row(&p, f->offset - f->padding, f->padding, 0, "(padding)");
    if (line > 0 && f->offset / line > begun) {
      begun = f->offset / line;
      write_bytes(&p, "------ line ", 12);
      write_number(&p, begun, 0);
      write_bytes(&p, "\n", 1);
    }
    write_row(&p, f->offset, f->size, align_of(f), f->name);
  }
  if (all.tail) write_row(&p, all.size - all.tail, all.tail, 0, "(padding)");
  write_total(&p, "size ", all.size);
  write_total(&p, ", align ", all.align);
  write_total(&p, ", padding ", all.padding);
  write_bytes(&p, "\n", 1);
  if (cap > 0) out[p.len < cap ? p.len : cap - 1] = 0;
  return p.len;
}
