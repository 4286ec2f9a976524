// What must not compile, and what must: see check-compile.cmake.
#include <burrow/burrow.h>

typedef struct job {
  int id;
  const char *file;
} job;
typedef struct other_job {
  int id;
  const char *file;
} other_job;
typedef const char *text;
typedef char *word;
typedef struct node *node_ptr;
BW_SLICE_TYPE(job);
BW_SLICE_TYPE(text);
BW_SLICE_TYPE(word);
BW_SLICE_TYPE(node_ptr);
typedef BW_SLICE(int) ints;
BW_SLICE_TYPE(ints);
BW_ARRAY_TYPE(int, 3);
BW_ARRAY_TYPE(int, 4);
BW_ORDER(by_id, job, a, b, a->id < b->id);
BW_ORDER(by_value, int, a, b, *a < *b);

static BW_SLICE(int) s;
static BW_SLICE(unsigned) unsigneds;
static BW_SLICE(double) doubles;
static BW_SLICE(job) jobs;
static BW_SLICE(text) texts;
static BW_SLICE(word) words;
static BW_SLICE(node_ptr) nodes;
static BW_SLICE(ints) rows;
static BW_ARRAY(int, 3) three;
static BW_ARRAY(int, 4) four;

void declared(void) {
  (void)s, (void)unsigneds, (void)doubles, (void)jobs, (void)texts, (void)words, (void)nodes;
  (void)rows, (void)three, (void)four;
}
void takes(BW_SLICE(int) given) { s = given; }

// ---- behaviour 163: wrong shapes ----------------------------------------------------------------

#ifdef CASE_array_without_bytes // no: an array of elements without bytes has no length in C
BW_ARRAY_TYPE(bw_unit, 3);
#endif
#ifdef CASE_view_of_array_without_bytes // no: an array of elements without bytes has no length in C
static bw_unit units[3];
void f(void) { (void)BW_SLICE_ARRAY(bw_unit, units); }
#endif
#ifdef CASE_view_without_bytes // yes
void f(void);
void f(void) {
  static bw_unit units[3];
  (void)BW_SLICE_OF(bw_unit, units, 3);
}
#endif

#ifdef CASE_b163_nothing // no: expected expression
void f(void) { s = bw_append(s); }
#endif
#ifdef CASE_b163_text_to_ints // no: this value is not what the slice holds
void f(void) { s = bw_append(s, "text"); }
#endif
#ifdef CASE_b163_text_among_ints // no: this value is not what the slice holds
void f(void) { s = bw_append(s, 1, 2, "text", 4); }
#endif
#ifdef CASE_b163_null_to_ints // no: this value is not what the slice holds
void f(void) { s = bw_append(s, NULL); }
#endif
#ifdef CASE_b163_slice_as_value // no: this value is not what the slice holds
void f(void) { s = bw_append(s, s); }
#endif
#ifdef CASE_b163_array_as_value // no: this value is not what the slice holds
void f(void) { s = bw_append(s, three); }
#endif
#ifdef CASE_b163_number_to_pointers // no: this value is not what the slice holds
void f(void) { texts = bw_append(texts, 7); }
#endif
#ifdef CASE_b163_const_lost // no: this value is not what the slice holds
void f(text t) { words = bw_append(words, t); }
#endif
#ifdef CASE_b163_other_pointer // no: this value is not what the slice holds
void f(int *p) { nodes = bw_append(nodes, p); }
#endif
#ifdef CASE_b163_other_struct // no: this value is not what the slice holds
void f(other_job j) { jobs = bw_append(jobs, j); }
#endif
#ifdef CASE_b163_push_text // no: this value is not what the slice holds
int f(void) { return bw_push(&s, "text"); }
#endif
#ifdef CASE_b163_insert_text // no: this value is not what the slice holds
int f(void) { return bw_insert(&s, 0, "text"); }
#endif
#ifdef CASE_b163_append_to_number // no: member reference base type|request for member
void f(int n) { n = bw_append(n, 1); }
#endif
#ifdef CASE_b163_all_of_other // no: these two are not slices of the same type
void f(void) { s = bw_append_all(s, doubles); }
#endif
#ifdef CASE_b163_all_of_unsigned // no: these two are not slices of the same type
void f(void) { s = bw_append_all(s, unsigneds); }
#endif
#ifdef CASE_b163_all_of_number // no: member reference base type|request for member|not slices
void f(void) { s = bw_append_all(s, 1); }
#endif
#ifdef CASE_b163_result_of_other // no: incompatible type
void f(void) { doubles = bw_append(s, 1); }
#endif
#ifdef CASE_b163_append_n_of_doubles // no: this is not a pointer to what the slice holds
void f(const double *d) { s = bw_append_n(s, d, 3); }
#endif
#ifdef CASE_b163_push_all_of_other // no: these two are not slices of the same type
int f(void) { return bw_push_all(&s, doubles); }
#endif
#ifdef CASE_b163_copy_other // no: these two are not slices of the same type
ptrdiff_t f(void) { return bw_copy(s, doubles); }
#endif
#ifdef CASE_b163_copy_number // no: member reference base type|request for member|not slices
ptrdiff_t f(void) { return bw_copy(s, 3); }
#endif
#ifdef CASE_b163_copy_array // no: member named 'untyped'|not slices
ptrdiff_t f(void) { return bw_copy(s, three); }
#endif
#ifdef CASE_b163_copy_of_one // no: requires 2 arguments|too few arguments
ptrdiff_t f(void) { return bw_copy(s); }
#endif
#ifdef CASE_b163_make_negative_len // no: this length is negative
void f(void) { s = BW_SLICE_MAKE(int, -1, 4); }
#endif
#ifdef CASE_b163_make_negative_cap // no: this length is negative
void f(void) { s = BW_SLICE_MAKE(int, 0, 3 - 4); }
#endif
#ifdef CASE_b163_make_without_len // no: requires 3 arguments|too few arguments
void f(void) { s = BW_SLICE_MAKE(int); }
#endif
#ifdef CASE_make_len_at_run_time // yes
void f(int n) { s = BW_SLICE_MAKE(int, n, n + 1); }
#endif
#ifdef CASE_numbers_convert // yes
void f(char c, long l, double d) {
  s = bw_append(s, c, l, d, true);
  doubles = bw_append(doubles, 1, 'a', 2.5f);
}
#endif
#ifdef CASE_const_added // yes
void f(char *p) { texts = bw_append(texts, p, NULL, "a"); }
#endif
#ifdef CASE_sixteen // yes
void f(void) { s = bw_append(s, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16); }
#endif
#ifdef CASE_nested // yes
void f(void) {
  s = bw_append(bw_append(bw_tail(s, 1), 1), 2);
  rows = bw_append(rows, s, bw_append(s, 1));
}
#endif

#ifdef CASE_const_slices // yes
int f(const BW_SLICE(int) given) {
  int sum = 0;
  BW_EACH(v, given) sum += *v;
  BW_EACH_AT(i, v, given) sum += *v * (int)i;
  s = bw_append_all(bw_append(given, 1), given);
  s = bw_clone(bw_tail(given, 1));
  return sum + (int)bw_copy(s, given) + bw_at(given, 1) + (int)bw_search(given, 1) +
         (int)bw_index(given, 1) + bw_equal(given, s) + bw_compare(s, given);
}
#endif

// ---- types --------------------------------------------------------------------------------------

#ifdef CASE_assigned_to_other // no: incompatible type
void f(void) { doubles = s; }
#endif
#ifdef CASE_initialised_by_other // no: invalid initializer|incompatible type
void f(void) {
  BW_SLICE(int) t = doubles;
  takes(t);
}
#endif
#ifdef CASE_passed_other // no: incompatible type
void f(void) { takes(doubles); }
#endif
#ifdef CASE_untyped_for_typed // no: incompatible type
void f(bw_slice u) { s = u; }
#endif
#ifdef CASE_not_declared // no: unknown type name|undeclared
typedef struct nobody {
  int x;
} nobody;
void f(BW_SLICE(nobody) n);
#endif
#ifdef CASE_declared_twice // no: redefinition of|previous
BW_SLICE_TYPE(job);
#endif
#ifdef CASE_struct_to_int_element // no: incompatible type
void f(job j) { bw_at(s, 0) = j; }
#endif
#ifdef CASE_lit_of_text // no: this value is not what the slice holds
void f(void) { s = BW_SLICE_LIT(int, 1, "text"); }
#endif
#ifdef CASE_of_other_pointer // no: this is not a pointer to what the slice holds
void f(double *d) { s = BW_SLICE_OF(int, d, 3); }
#endif
#ifdef CASE_of_const // no: this is not a pointer to what the slice holds
void f(const int *p) { s = BW_SLICE_OF(int, p, 3); }
#endif
#ifdef CASE_array_of_pointer // no: this is a pointer, not an array
void f(int *p) { s = BW_SLICE_ARRAY(int, p); }
#endif
#ifdef CASE_array_of_other // no: this is not a pointer to what the slice holds
void f(void) {
  static double d[3];
  s = BW_SLICE_ARRAY(int, d);
}
#endif
#ifdef CASE_insert_without_address // no: .->.|indirection requires pointer
int f(void) { return bw_insert(s, 0, 1); }
#endif
#ifdef CASE_push_without_address // no: .->.|indirection requires pointer
int f(void) { return bw_push(s, 1); }
#endif

// ---- order --------------------------------------------------------------------------------------

#ifdef CASE_sort_structs // no: these have no order of their own
void f(void) { bw_sort(jobs); }
#endif
#ifdef CASE_sort_pointers // no: these have no order of their own
void f(void) { bw_sort(texts); }
#endif
#ifdef CASE_search_structs // no: these have no order of their own|invalid operands
ptrdiff_t f(job j) { return bw_search(jobs, j); }
#endif
#ifdef CASE_search_text_in_ints // no: this value is not what the slice holds
ptrdiff_t f(void) { return bw_search(s, "text"); }
#endif
#ifdef CASE_equal_structs // no: only numbers and pointers can be compared|invalid operands
bool f(void) { return bw_equal(jobs, jobs); }
#endif
#ifdef CASE_equal_others // no: these two are not slices of the same type
bool f(void) { return bw_equal(s, doubles); }
#endif
#ifdef CASE_order_of_other // no: this order is of another type
void f(void) { bw_sort_by(s, by_id); }
#endif
#ifdef CASE_order_of_other_compare // no: this order is of another type
int f(void) { return bw_compare_by(jobs, jobs, by_value); }
#endif
#ifdef CASE_orders // yes
ptrdiff_t f(job j) {
  bw_sort(s), bw_sort(unsigneds), bw_sort(doubles), bw_sort_by(jobs, by_id);
  bw_sort_stable_by(s, by_value);
  return bw_search(doubles, 1) + bw_search(unsigneds, 1u) + bw_search_by(jobs, j, by_id) +
         bw_index(texts, NULL) + bw_equal(s, s) + bw_compare(doubles, doubles);
}
#endif

// ---- arrays -------------------------------------------------------------------------------------

#ifdef CASE_arrays_of_other_length // no: incompatible type
void f(void) { three = four; }
#endif
#ifdef CASE_array_slice_of_other // no: this is not a pointer to what the slice holds
void f(void) { doubles = bw_array_slice(double, three); }
#endif
#ifdef CASE_arrays // yes
int f(void) {
  BW_ARRAY(int, 3) a = three;
  s = bw_array_slice(int, three);
  return bw_array_at(a, 2) + (int)bw_array_len(four);
}
#endif
