// Prints a size-class table as a header. A program of its own for the host: the library is built
// with the headers that are checked in, and a test runs this again and compares.
//
//   cc gen/sizeclass_gen.c -o gen && ./gen go67 > tables/go67.h    # go66, tcmalloc85 likewise
//
// One rule, with numbers that differ from table to table (`tables` below):
//   1. Candidates climb in steps that grow with them: 8, then 16, from 128 on an eighth of the last
//      power of two, at most `step_most`.
//   2. A candidate's span is the fewest 8 KB pages whose unused tail is at most an eighth, and that
//      hold at least `span_share` of a batch (a batch: what travels between a thread cache and
//      central at a time).
//   3. A candidate with as many pages and objects as the one before replaces it: the smaller one
//      would save nothing.
//   4. What is left grows to the largest multiple of `grow_to` that still gives as many objects.
//
// Everything else in the header is arithmetic on these rows. What the library takes for granted of
// every table is looked at before anything is printed (see check_rows).
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  PAGE = 8192,
  FINE_MAX = 1024, // sizes up to here are looked up in steps of FINE_STEP, above of COARSE_STEP
  FINE_STEP = 8,
  COARSE_STEP = 128,
  BATCH_LEAST = 2,
  CLASSES_MOST = 256, // class 0 included: a class is the low half of a page's 16-bit tag,
  PAGES_MOST = 255    // a page's place in its span the high half; and the column has 8 bits
};

typedef struct {
  const char *name;     // of the header's file
  const char *constant; // what the names of its constants begin with
  unsigned largest;     // size of the last class
  unsigned by_16_from;  // where steps of 8 end
  unsigned step_most;
  unsigned span_share; // a span holds a batch divided by this, at least; 0: any number of objects
  unsigned grow_to;    // 0: candidates stay as they are
  unsigned batch_bytes, batch_most; // a batch: so many bytes, but 2..batch_most objects
} table;

static const table tables[] = {
    // Go since 1.16.
    {"go67", "BW_GO67", 32768, 32, 256, 0, 128, 32768, 64},
    // Go before: the same without the class of 24 bytes.
    {"go66", "BW_GO66", 32768, 16, 256, 0, 128, 32768, 64},
    // TCMalloc as gperftools has it, with pages of 8 KB.
    {"tcmalloc85", "BW_TCMALLOC85", 262144, 16, PAGE, 4, 0, 65536, 32},
};

enum { TABLES = sizeof tables / sizeof tables[0] };

typedef struct {
  unsigned size, pages, objects, batch, reciprocal;
} row;

static const table *rule;
static row rows[CLASSES_MOST]; // [0] stands for large objects
static unsigned count = 1;

static _Noreturn void fail(const char *format, ...) {
  va_list args;
  fprintf(stderr, "sizeclass_gen: ");
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  exit(1);
}

// ---- the rule ----------------------------------------------------------------------------------

static unsigned span_of(const row *r) { return r->pages * PAGE; }

static unsigned tail_of(const row *r) { return span_of(r) - r->objects * r->size; }

static unsigned step_after(unsigned size) {
  if (size < rule->by_16_from) return 8;
  if (size < 128) return 16;
  unsigned power = 128;
  while (power * 2 <= size) power *= 2;
  return power / 8 < rule->step_most ? power / 8 : rule->step_most;
}

static unsigned batch_of(unsigned size) {
  unsigned n = rule->batch_bytes / size;
  return n < BATCH_LEAST ? BATCH_LEAST : n > rule->batch_most ? rule->batch_most : n;
}

static bool span_is_good(unsigned pages, unsigned size, unsigned objects_least) {
  unsigned span = pages * PAGE;
  return span % size <= span / 8 && span / size >= objects_least;
}

static row candidate(unsigned size) {
  unsigned least = rule->span_share ? batch_of(size) / rule->span_share : 1, pages = 1;
  while (!span_is_good(pages, size, least)) pages++;
  return (row){.size = size, .pages = pages, .objects = pages * PAGE / size};
}

static void make_rows(void) {
  for (unsigned size = 8; size <= rule->largest; size += step_after(size)) {
    row r = candidate(size);
    const row *last = &rows[count - 1];
    if (r.pages == last->pages && r.objects == last->objects) count--;
    if (count == CLASSES_MOST) fail("%s: too many classes", rule->name);
    rows[count++] = r;
  }
  for (unsigned i = 1; i < count && rule->grow_to; i++) {
    unsigned grown = span_of(&rows[i]) / rows[i].objects / rule->grow_to * rule->grow_to;
    if (grown > rows[i].size) rows[i].size = grown;
  }
  for (unsigned i = 1; i < count; i++) rows[i].batch = batch_of(rows[i].size);
}

// The worst waste of a span, in 1/100 %: all its objects hold one byte more than the next smaller
// class could, and the tail is lost as well. Rounded to the nearest.
static unsigned max_waste_of(unsigned i) {
  const row *r = &rows[i];
  uint64_t wasted = (uint64_t)r->objects * (r->size - (rows[i - 1].size + 1)) + tail_of(r);
  return (unsigned)((wasted * 20000 / span_of(r) + 1) / 2);
}

// ---- dividing by a class's size ----------------------------------------------------------------

// Whether multiplying by `reciprocal` gives quotient and divisibility (see sizeclass.h) of every
// offset in a span of `r`.
static bool divides_exactly(const row *r, uint32_t reciprocal) {
  for (unsigned offset = 0; offset < span_of(r); offset++) {
    uint64_t product = (uint64_t)offset * reciprocal;
    bool starts = (uint32_t)product < reciprocal;
    if (product >> 32 != offset / r->size || starts != (offset % r->size == 0)) return false;
  }
  return true;
}

// 2^32 / size rounded up; rounded down where that fails, which helps where a span is one object.
static void find_reciprocals(void) {
  for (row *r = &rows[1]; r < &rows[count]; r++) {
    r->reciprocal = (uint32_t)((((uint64_t)1 << 32) + r->size - 1) / r->size);
    if (!divides_exactly(r, r->reciprocal)) r->reciprocal--;
    if (!divides_exactly(r, r->reciprocal))
      fail("%s: no reciprocal divides by %u", rule->name, r->size);
  }
}

// ---- looking up --------------------------------------------------------------------------------

// The smallest class that holds `size` bytes at addresses that are multiples of `align`.
static unsigned class_for(unsigned size, unsigned align) {
  unsigned c = 1;
  while (rows[c].size < size || (size > FINE_STEP && rows[c].size % align != 0)) c++;
  return c;
}

static void check_rows(void) {
  for (unsigned i = 1; i < count; i++) {
    const row *r = &rows[i];
    bool divisible = r->size % (r->size > FINE_MAX ? COARSE_STEP : FINE_STEP) == 0;
    // A lookup in steps must not jump over a class, and all but 8 and 24 are good for any C type.
    if (!divisible || (r->size % 16 != 0 && r->size != 8 && r->size != 24))
      fail("%s: a class of %u bytes", rule->name, r->size);
    if (r->size <= rows[i - 1].size) fail("%s: %u is no step up", rule->name, r->size);
    if (r->pages > PAGES_MOST) fail("%s: %u pages for %u", rule->name, r->pages, r->size);
  }
  if (rows[count - 1].size != rule->largest) fail("%s: no class of %u", rule->name, rule->largest);
}

// ---- printing ----------------------------------------------------------------------------------

static unsigned column;

static void open_array(const char *type, const char *name, unsigned len, const char *what) {
  printf("\n// %s\nBW_SIZECLASS_DEFINE(%s, %s)[%u] = {", what, type, name, len);
  column = 0;
}

static void put(unsigned value) { printf("%s%u,", column++ % 12 ? " " : "\n    ", value); }

static void close_array(void) { printf("\n};\n"); }

static unsigned fine_len(void) { return FINE_MAX / FINE_STEP + 1; }

static unsigned coarse_len(void) { return (rule->largest - FINE_MAX) / COARSE_STEP + 1; }

static void print_constant(const char *name, unsigned value) {
  printf("#define %s_%s %u\n", rule->constant, name, value);
}

static void print_constants(void) {
  printf(
      "// Written by gen/sizeclass_gen.c: do not edit. sizeclass_table.h says how to include it.\n"
      "// clang-format off\n\n");
  print_constant("COUNT", count);
  print_constant("MAX", rule->largest);
  print_constant("FINE_MAX", FINE_MAX);
  print_constant("FINE_LEN", fine_len());
  print_constant("COARSE_LEN", coarse_len());
}

static void print_rows(void) {
  open_array("bw_size_class", "rows", count,
             "Size, span bytes, objects, tail waste, max waste in 1/100 %.");
  printf("\n    {0, 0, 0, 0, 0},");
  for (unsigned i = 1; i < count; i++)
    printf("\n    {%u, %u, %u, %u, %u},", rows[i].size, span_of(&rows[i]), rows[i].objects,
           tail_of(&rows[i]), max_waste_of(i));
  close_array();
}

static void print_columns(void) {
  open_array("uint32_t", "sizes", count, "Bytes an object.");
  for (unsigned i = 0; i < count; i++) put(rows[i].size);
  close_array();
  open_array("uint8_t", "pages", count, "Pages a span.");
  for (unsigned i = 0; i < count; i++) put(rows[i].pages);
  close_array();
  open_array("uint8_t", "batches", count,
             "Objects that travel between a thread cache and central at a time.");
  for (unsigned i = 0; i < count; i++) put(rows[i].batch);
  close_array();
  open_array("uint32_t", "reciprocals", count, "2^32 / size, rounded so that it divides exactly.");
  for (unsigned i = 0; i < count; i++) put(rows[i].reciprocal);
  close_array();
}

static void print_lookups(void) {
  open_array("uint8_t", "fine", fine_len(), "Class of a size up to 1024, by (size + 7) / 8.");
  for (unsigned s = 0; s <= FINE_MAX; s += FINE_STEP) put(class_for(s, 8));
  close_array();
  open_array("uint8_t", "fine16", fine_len(),
             "The same where objects above 8 bytes must be aligned to 16.");
  for (unsigned s = 0; s <= FINE_MAX; s += FINE_STEP) put(class_for(s, 16));
  close_array();
  open_array("uint8_t", "coarse", coarse_len(),
             "Class of a size above 1024, by (size - 1024 + 127) / 128; all aligned to 128.");
  for (unsigned s = FINE_MAX; s <= rule->largest; s += COARSE_STEP) put(class_for(s, 8));
  close_array();
}

int main(int argc, char **argv) {
  for (unsigned i = 0; i < TABLES && argc == 2; i++)
    if (strcmp(argv[1], tables[i].name) == 0) rule = &tables[i];
  if (!rule) fail("usage: sizeclass_gen go67|go66|tcmalloc85");
  make_rows();
  check_rows();
  find_reciprocals();
  print_constants();
  printf("\n#ifdef BW_SIZECLASS_DEFINE\n");
  print_rows();
  print_columns();
  print_lookups();
  printf("\n#endif\n");
  return 0;
}
