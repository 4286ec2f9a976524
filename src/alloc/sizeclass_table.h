// Which of the generated tables (tables/, by gen/sizeclass_gen.c) is used: BW_SIZECLASS_TABLE,
// which CMake defines by BURROW_SIZE_CLASSES.
//
//   go67         Go's 67 classes up to 32 KB
//   go66         older Go: the same without the class of 24 bytes
//   tcmalloc85   TCMalloc's 85 classes up to 256 KB
//
// Gives the table's constants. Who defines BW_SIZECLASS_DEFINE(type, column) gets the columns as
// well, each as `BW_SIZECLASS_DEFINE(type, column)[length] = {...};`. May be included once with and
// once without.
#define BW_SIZECLASS_GO67       1
#define BW_SIZECLASS_GO66       2
#define BW_SIZECLASS_TCMALLOC85 3

#ifndef BW_SIZECLASS_TABLE
#define BW_SIZECLASS_TABLE BW_SIZECLASS_GO67
#endif

#if BW_SIZECLASS_TABLE == BW_SIZECLASS_GO67
#include "alloc/tables/go67.h"
#define BW_SIZECLASS_TABLE_NAME     "go67"
#define BW_SIZECLASS_CONSTANT(name) BW_GO67_##name
#elif BW_SIZECLASS_TABLE == BW_SIZECLASS_GO66
#include "alloc/tables/go66.h"
#define BW_SIZECLASS_TABLE_NAME     "go66"
#define BW_SIZECLASS_CONSTANT(name) BW_GO66_##name
#elif BW_SIZECLASS_TABLE == BW_SIZECLASS_TCMALLOC85
#include "alloc/tables/tcmalloc85.h"
#define BW_SIZECLASS_TABLE_NAME     "tcmalloc85"
#define BW_SIZECLASS_CONSTANT(name) BW_TCMALLOC85_##name
#else
#error "BW_SIZECLASS_TABLE is no table that there is"
#endif

#define BW_SIZECLASS_COUNT      BW_SIZECLASS_CONSTANT(COUNT) // class 0, "large", included
#define BW_SIZECLASS_MAX        BW_SIZECLASS_CONSTANT(MAX)
#define BW_SIZECLASS_FINE_MAX   BW_SIZECLASS_CONSTANT(FINE_MAX)
#define BW_SIZECLASS_FINE_LEN   BW_SIZECLASS_CONSTANT(FINE_LEN)
#define BW_SIZECLASS_COARSE_LEN BW_SIZECLASS_CONSTANT(COARSE_LEN)
