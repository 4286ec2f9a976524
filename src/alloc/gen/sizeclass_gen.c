// Prints alloc/sizeclass_table.h. A program of its own for the host: the library is built with the
// header that is checked in, and a test runs this again and compares.
//
//   cc gen/sizeclass_gen.c -o gen && ./gen > sizeclass_table.h
//
// The rule, which is Go's (and TCMalloc's before it), in words:
//   1. Candidates climb in steps that grow with them: 8, from 32 bytes on 16, from 128 on an eighth
//      of the last power of two, from 2048 on 256.
//   2. A candidate's span is the fewest 8 KB pages whose unused tail is at most an eighth.
//   3. A candidate with as many pages and objects as the one before replaces it: the smaller one
//      would save nothing.
//   4. What is left grows to the largest multiple of 128 that still gives as many objects.
//
// Everything else in the header is arithmetic on these rows.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  PAGE = 8192,
  MAX_SMALL = 32768,
  FINE_MAX = 1024, // sizes up to here are looked up in steps of FINE_STEP, above of COARSE_STEP
  FINE_STEP = 8,
  COARSE_STEP = 128,
  BATCH_BYTES = 32768, // what travels between a thread cache and central at a time
  BATCH_LEAST = 2,
  BATCH_MOST = 64,
  CLASSES_MOST = 128
};

typedef struct {
  unsigned size, pages, objects;
} row;

static row rows[CLASSES_MOST]; // [0] stands for large objects
static unsigned count = 1;

static unsigned span_of(const row *r) { return r->pages * PAGE; }

static unsigned tail_of(const row *r) { return span_of(r) - r->objects * r->size; }

static unsigned step_after(unsigned size) {
  if (size < 32) return 8;
  if (size < 128) return 16;
  if (size >= 2048) return 256;
  unsigned power = 128;
  while (power * 2 <= size) power *= 2;
  return power / 8;
}

static row candidate(unsigned size) {
  unsigned pages = 1;
  while (pages * PAGE % size > pages * PAGE / 8) pages++;
  return (row){size, pages, pages * PAGE / size};
}

static void make_rows(void) {
  for (unsigned size = 8; size <= MAX_SMALL; size += step_after(size)) {
    row r = candidate(size);
    const row *last = &rows[count - 1];
    if (r.pages == last->pages && r.objects == last->objects) count--;
    if (count == CLASSES_MOST) abort();
    rows[count++] = r;
  }
  for (unsigned i = 1; i < count; i++) {
    unsigned grown = span_of(&rows[i]) / rows[i].objects / 128 * 128;
    if (grown > rows[i].size) rows[i].size = grown;
  }
}

// The worst waste of a span, in 1/100 %: all its objects hold one byte more than the next smaller
// class could, and the tail is lost as well. Rounded to the nearest.
static unsigned max_waste_of(unsigned i) {
  const row *r = &rows[i];
  uint64_t wasted = (uint64_t)r->objects * (r->size - (rows[i - 1].size + 1)) + tail_of(r);
  return (unsigned)((wasted * 20000 / span_of(r) + 1) / 2);
}

static unsigned batch_of(const row *r) {
  unsigned n = BATCH_BYTES / r->size;
  return n < BATCH_LEAST ? BATCH_LEAST : n > BATCH_MOST ? BATCH_MOST : n;
}

// ceil(2^32 / size): one multiplication gives both quotient and divisibility (see sizeclass.h).
static unsigned reciprocal_of(const row *r) {
  return (unsigned)((((uint64_t)1 << 32) + r->size - 1) / r->size);
}

// The smallest class that holds `size` bytes at addresses that are multiples of `align`.
static unsigned class_for(unsigned size, unsigned align) {
  unsigned c = 1;
  while (rows[c].size < size || (size > FINE_STEP && rows[c].size % align != 0)) c++;
  return c;
}

// ---- printing ----------------------------------------------------------------------------------

static unsigned column;

static void open_array(const char *declaration, const char *what) {
  printf("\n// %s\nconst %s = {", what, declaration);
  column = 0;
}

static void put(unsigned value) { printf("%s%u,", column++ % 12 ? " " : "\n    ", value); }

static void close_array(void) { printf("\n};\n"); }

static void print_rows(void) {
  printf("\n// size, span bytes, objects, tail waste, max waste in 1/100 %%.\n"
         "const bw_size_class bw__sizeclass_rows[BW_SIZECLASS_COUNT] = {\n    {0, 0, 0, 0, 0},\n");
  for (unsigned i = 1; i < count; i++)
    printf("    {%u, %u, %u, %u, %u},\n", rows[i].size, span_of(&rows[i]), rows[i].objects,
           tail_of(&rows[i]), max_waste_of(i));
  printf("};\n");
}

static void print_columns(void) {
  open_array("uint32_t bw__sizeclass_sizes[BW_SIZECLASS_COUNT]", "Bytes an object.");
  for (unsigned i = 0; i < count; i++) put(rows[i].size);
  close_array();
  open_array("uint8_t bw__sizeclass_pages[BW_SIZECLASS_COUNT]", "Pages a span.");
  for (unsigned i = 0; i < count; i++) put(rows[i].pages);
  close_array();
  open_array("uint8_t bw__sizeclass_batches[BW_SIZECLASS_COUNT]",
             "Objects that travel between a thread cache and central at a time.");
  for (unsigned i = 0; i < count; i++) put(i ? batch_of(&rows[i]) : 0);
  close_array();
  open_array("uint32_t bw__sizeclass_reciprocals[BW_SIZECLASS_COUNT]", "ceil(2^32 / size).");
  for (unsigned i = 0; i < count; i++) put(i ? reciprocal_of(&rows[i]) : 0);
  close_array();
}

static void print_lookups(void) {
  open_array("uint8_t bw__sizeclass_fine[BW_SIZECLASS_FINE_LEN]",
             "Class of a size up to 1024, by (size + 7) / 8.");
  for (unsigned s = 0; s <= FINE_MAX; s += FINE_STEP) put(class_for(s, 8));
  close_array();
  open_array("uint8_t bw__sizeclass_fine16[BW_SIZECLASS_FINE_LEN]",
             "The same where objects above 8 bytes must be aligned to 16.");
  for (unsigned s = 0; s <= FINE_MAX; s += FINE_STEP) put(class_for(s, 16));
  close_array();
  open_array("uint8_t bw__sizeclass_coarse[BW_SIZECLASS_COARSE_LEN]",
             "Class of a size above 1024, by (size - 1024 + 127) / 128; all aligned to 128.");
  for (unsigned s = FINE_MAX; s <= MAX_SMALL; s += COARSE_STEP) put(class_for(s, 8));
  close_array();
}

int main(void) {
  make_rows();
  printf("// Written by gen/sizeclass_gen.c: do not edit.\n"
         "// clang-format off\n"
         "#ifndef BURROW_ALLOC_SIZECLASS_TABLE_H\n#define BURROW_ALLOC_SIZECLASS_TABLE_H\n\n"
         "#define BW_SIZECLASS_COUNT      %u // class 0, \"large\", included\n"
         "#define BW_SIZECLASS_MAX        %u\n"
         "#define BW_SIZECLASS_FINE_MAX   %u\n"
         "#define BW_SIZECLASS_FINE_LEN   %u\n"
         "#define BW_SIZECLASS_COARSE_LEN %u\n\n#endif\n",
         count, MAX_SMALL, FINE_MAX, FINE_MAX / FINE_STEP + 1,
         (MAX_SMALL - FINE_MAX) / COARSE_STEP + 1);
  printf("\n#ifdef BW_SIZECLASS_DEFINE_TABLES // by sizeclass.c alone\n");
  print_rows();
  print_columns();
  print_lookups();
  printf("\n#endif\n");
  return 0;
}
