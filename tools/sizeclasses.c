// burrow-sizeclasses: prints the allocator's size classes, one a line.
//
//   burrow-sizeclasses              the table that this build of the library uses
//   burrow-sizeclasses tcmalloc85   any of the three: go67, go66, tcmalloc85
#include <burrow/alloc.h>
#include <stdio.h>
#include <string.h>

#include "alloc/sizeclass_table.h"

#define BW_SIZECLASS_DEFINE(type, column) static const type go67_##column
#include "alloc/tables/go67.h"
#undef BW_SIZECLASS_DEFINE
#define BW_SIZECLASS_DEFINE(type, column) static const type go66_##column
#include "alloc/tables/go66.h"
#undef BW_SIZECLASS_DEFINE
#define BW_SIZECLASS_DEFINE(type, column) static const type tcmalloc85_##column
#include "alloc/tables/tcmalloc85.h"

static const struct {
  const char *name;
  const bw_size_class *rows; // [0] is "large"
  int count;
} tables[] = {
    {"go67", go67_rows, BW_GO67_COUNT},
    {"go66", go66_rows, BW_GO66_COUNT},
    {"tcmalloc85", tcmalloc85_rows, BW_TCMALLOC85_COUNT},
};

static void print_table(const bw_size_class *rows, int count) {
  printf("class  bytes/obj  bytes/span  objects  tail waste  max waste\n");
  for (int c = 1; c < count; c++) {
    bw_size_class r = rows[c];
    printf("%5d  %9u  %10u  %7u  %10u  %5u.%02u%%\n", c, (unsigned)r.size, (unsigned)r.span_bytes,
           (unsigned)r.objects, (unsigned)r.tail_waste, (unsigned)r.max_waste / 100,
           (unsigned)r.max_waste % 100);
  }
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : BW_SIZECLASS_TABLE_NAME;
  for (size_t i = 0; i < sizeof tables / sizeof tables[0] && argc <= 2; i++)
    if (strcmp(name, tables[i].name) == 0) {
      print_table(tables[i].rows, tables[i].count);
      return 0;
    }
  fprintf(stderr, "usage: burrow-sizeclasses [go67|go66|tcmalloc85]\n");
  return 2;
}
