/// @file layout.h  How a struct lies in memory: offsets, padding, size, and a better order.
///
/// The three rules of a compiler. One: a struct lies at an address that its widest alignment
/// divides. Two: a member lies at the next offset that its own alignment divides; bytes before it
/// may be padding. Three: the size of the struct is a multiple of its alignment; bytes at its end
/// may be padding.
///
/// A struct is described by a table, by hand or from the real one. At file scope:
///
///     struct packet { char kind; double value; char flag; int number; };
///     static const bw_layout_field packet[] = {
///       BW_LAYOUT_FIELD(struct packet, kind), BW_LAYOUT_FIELD(struct packet, value),
///       BW_LAYOUT_FIELD(struct packet, flag), BW_LAYOUT_FIELD(struct packet, number),
///     };
///
/// And then:
///
///     bw_layout_field computed[4], better[4];
///     memcpy(computed, packet, sizeof packet);
///     bw_layout all = bw_layout_compute(computed, 4);
///     printf("%zu\n", all.size - sizeof(struct packet)); // prints 0
///     printf("%zu + %zu\n", all.padding, all.tail);      // prints 10 + 0
///     all = bw_layout_best(packet, 4, better);
///     printf("%zu %s", all.size, better[0].name);        // prints 16 value
///     printf(" %s %s\n", better[1].name, better[2].name); // prints number kind
///
/// Alignments are what they are on the target that the table was made for: an int64_t needs 8 on
/// every target of Burrow's, and a pointer 4 on wasm. Any thread may call. Nothing allocates,
/// nothing parks.
#ifndef BURROW_LAYOUT_H
#define BURROW_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A member. Sizes are in bytes; align is a power of two (0 counts as 1).
typedef struct bw_layout_field {
  const char *name;
  size_t size, align;
  size_t offset;  ///< of a real struct's member, or computed
  size_t padding; ///< before it: computed
} bw_layout_field;

/// The struct.
typedef struct bw_layout {
  size_t size, align;
  size_t padding; ///< bytes of `size` that belong to no member, those at the end included
  size_t tail;    ///< of these: at the end
} bw_layout;

#ifndef __cplusplus
/// A member of a real struct (no bit-field), with the offset that the compiler gave it. C only: in
/// C++ a table is written by hand.
#define BW_LAYOUT_FIELD(type, member)                                                              \
  {                                                                                                \
#member, sizeof(((type *)0)->member), __alignof__(((type *)0)->member),                        \
        offsetof(type, member), 0                                                                  \
  }
#endif

/// Gives every field its offset and padding by the three rules. A size that overflows is SIZE_MAX.
bw_layout bw_layout_compute(bw_layout_field *fields, int count);

/// The same fields in `out` (not `fields` itself), in an order of falling alignments, and computed.
/// No order needs fewer bytes when each size is a multiple of its alignment, as it is of C's types.
/// Members with an _Alignas of their own may break that: then each next field is one that needs the
/// least padding where it would come, which is often good and not always the best. Where nothing is
/// gained the order stays.
bw_layout bw_layout_best(const bw_layout_field *fields, int count, bw_layout_field *out);

/// The struct as a table of columns: offset, size, align, name; a row for each stretch of padding;
/// with `line` > 0 (64) also a row `------ line N` above the first member that begins in line N of
/// so many bytes of the cache: none for a line in which no member begins, so that N may leap, and
/// none above padding. The fields must be computed. Writes at most cap - 1 characters and a 0, and
/// returns how many all are, as snprintf does.
size_t bw_layout_text(const bw_layout_field *fields, int count, bw_layout all, size_t line,
                      char *out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
