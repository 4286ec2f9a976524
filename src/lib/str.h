// What str.c shows to the tests of searching.
#ifndef BURROW_LIB_STR_H
#define BURROW_LIB_STR_H

#include <burrow/string.h>

// bw_str_index, which adds to *looks the bytes it has gone over, and compared at most; what is
// looked at again counts again. No more than some 8 for each byte of s.
ptrdiff_t bw__str_index(bw_str s, bw_str sub, ptrdiff_t *looks);

#endif
