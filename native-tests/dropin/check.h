// What the drop-in tests share. They know nothing of Burrow: plain programs whose malloc is
// replaced.
#ifndef BURROW_DROPIN_CHECK_H
#define BURROW_DROPIN_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                              \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

#endif
