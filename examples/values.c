// Arrays are values, slices are views, strings are bytes that nobody writes.
#include <burrow/array.h>
#include <burrow/string.h>
#include <stdio.h>

BW_ARRAY_TYPE(int, 3);

static void print(const char *name, BW_SLICE(int) s) {
  printf("%s", name);
  BW_EACH(v, s) printf(" %d", *v);
}

// A copy: the caller's array stays as it is.
static BW_ARRAY(int, 3) with_nine(BW_ARRAY(int, 3) a) {
  bw_array_at(a, 0) = 9;
  return a;
}

// A view: the caller's array is written.
static void set_nine(BW_SLICE(int) s) { bw_at(s, 0) = 9; }

int main(void) {
  BW_ARRAY(int, 3) a = {{1, 2, 3}}, b = with_nine(a);
  BW_SLICE(int) view = bw_array_slice(int, a);
  print("array", view);
  print(" copy", bw_array_slice(int, b));
  set_nine(view);
  print("\nview", view);
  print(" array", bw_array_slice(int, a));

  BW_SLICE(int) two = bw_head(view, 2);
  BW_SLICE(int) shared = bw_append(two, 7);         // room behind it: writes a.at[2]
  BW_SLICE(int) apart = bw_append(bw_clip(two), 8); // no room: an array of its own
  if (!bw_ok(apart)) return 1;
  print("\nshared", shared);
  print(" apart", apart);
  bw_free_slice(apart);

  bw_str s = BW_STR("Gr\xc3\xbc"
                    "ezi");
  printf("\n%.*s: %td runes in %td bytes\n", BW_STR_ARG(s), bw_str_rune_count(s), s.len);
  return 0;
}
