// The columns of the generated table, and the public questions about them.
#include "alloc/sizeclass.h"

#define BW_SIZECLASS_DEFINE(type, column) const type bw__sizeclass_##column
#include "alloc/sizeclass_table.h"

int bw_size_class_count(void) { return BW_SIZECLASS_COUNT; }

bw_size_class bw_size_class_at(int index) {
  bool known = index > 0 && index < BW_SIZECLASS_COUNT;
  return bw__sizeclass_rows[known ? index : 0];
}

int bw_size_class_of(size_t size) { return (int)bw__sizeclass_of(size); }
