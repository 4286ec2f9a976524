// What must not compile, and what must: check-compile.cmake compiles this file as it is, and once
// for each #ifdef with that name defined. With `// no: WORDS` the compiler has to refuse it and say
// the words; with `// yes`, and as it is, it has to take it without a warning.
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
typedef void *any;
typedef struct node *node_ptr;
typedef void (*thunk)(void *arg);
typedef enum color { RED, GREEN } color;
BW_CHAN_TYPE(job);
BW_CHAN_TYPE(text);
BW_CHAN_TYPE(word);
BW_CHAN_TYPE(any);
BW_CHAN_TYPE(node_ptr);
BW_CHAN_TYPE(thunk);
BW_CHAN_TYPE(color);
typedef BW_CHAN(job) job_chan;
BW_CHAN_TYPE(job_chan);

static BW_CHAN(int) ints;
static BW_CHAN(double) doubles;
static BW_CHAN(char) chars;
static BW_CHAN(bool) bools;
static BW_CHAN(bw_unit) units;
static BW_CHAN(job) jobs;
static BW_CHAN(text) texts;
static BW_CHAN(word) words;
static BW_CHAN(any) anys;
static BW_CHAN(node_ptr) nodes;
static BW_CHAN(thunk) thunks;
static BW_CHAN(color) colors;
static BW_CHAN(job_chan) job_chans;
static BW_SEND_END(int) out;
static BW_RECV_END(int) in;

void declared(void *arg) {
  (void)ints, (void)doubles, (void)chars, (void)bools, (void)units, (void)jobs, (void)texts;
  (void)words, (void)anys, (void)nodes, (void)thunks, (void)colors, (void)job_chans, (void)out;
  (void)in, (void)arg;
}
void takes_send_end(BW_SEND_END(int) c) { out = c; }
void takes_recv_end(BW_RECV_END(int) c) { in = c; }
void takes_chan(BW_CHAN(int) c) { ints = c; }
int number(void);

// ---- behaviour 20: directions -------------------------------------------------------------------

#ifdef CASE_b20_send_on_recv_end // no: no member named 'may_send'
void f(void) { bw_send(in, 1); }
#endif
#ifdef CASE_b20_try_send_on_recv_end // no: no member named 'may_send'
int f(void) { return bw_try_send(in, 1); }
#endif
#ifdef CASE_b20_send_until_on_recv_end // no: no member named 'may_send'
int f(void) { return bw_send_until(in, 1, bw_now()); }
#endif
#ifdef CASE_b20_send_ctx_on_recv_end // no: no member named 'may_send'
int f(void) { return bw_send_ctx(bw_context_background(), in, 1); }
#endif
#ifdef CASE_b20_send_n_ctx_on_recv_end // no: no member named 'may_send'
int f(int *v) { return bw_send_n_ctx(bw_context_background(), in, v, 1, NULL); }
#endif
#ifdef CASE_b20_send_case_on_recv_end // no: no member named 'may_send'
int f(void) { return BW_SELECT(bw_send_case(in, 1)); }
#endif
#ifdef CASE_b20_close_of_recv_end // no: no member named 'may_send'
void f(void) { bw_close(in); }
#endif
#ifdef CASE_b20_recv_on_send_end // no: no member named 'may_recv'
bool f(int *v) { return bw_recv(out, v); }
#endif
#ifdef CASE_b20_drop_on_send_end // no: no member named 'may_recv'
bool f(void) { return bw_recv(out, NULL); }
#endif
#ifdef CASE_b20_range_over_send_end // no: no member named 'may_recv'
void f(void) {
  for (int v; bw_recv(out, &v);) declared(&v);
}
#endif
#ifdef CASE_b20_try_recv_on_send_end // no: no member named 'may_recv'
int f(int *v) { return bw_try_recv(out, v); }
#endif
#ifdef CASE_b20_recv_until_on_send_end // no: no member named 'may_recv'
int f(int *v) { return bw_recv_until(out, v, bw_now()); }
#endif
#ifdef CASE_b20_recv_ctx_on_send_end // no: no member named 'may_recv'
int f(int *v) { return bw_recv_ctx(bw_context_background(), out, v); }
#endif
#ifdef CASE_b20_recv_n_ctx_on_send_end // no: no member named 'may_recv'
ptrdiff_t f(int *v) { return bw_recv_n_ctx(bw_context_background(), out, v, 1); }
#endif
#ifdef CASE_b20_recv_case_on_send_end // no: no member named 'may_recv'
int f(int *v) { return BW_SELECT(bw_recv_case(out, v)); }
#endif
#ifdef CASE_b20_recv_ok_case_on_send_end // no: no member named 'may_recv'
int f(int *v, bool *ok) { return BW_SELECT(bw_recv_ok_case(out, v, ok)); }
#endif
#ifdef CASE_b20_send_end_turned_round // no: no member named 'recv_end'
void f(void) { takes_recv_end(out.recv_end); }
#endif
#ifdef CASE_b20_recv_end_turned_round // no: no member named 'send_end'
void f(void) { takes_send_end(in.send_end); }
#endif
#ifdef CASE_b20_send_end_is_no_chan // no: incompatible type
void f(void) { takes_chan(out); }
#endif
#ifdef CASE_b20_recv_end_is_no_chan // no: incompatible type|invalid initializer
void f(void) {
  BW_CHAN(int) c = in;
  takes_chan(c);
}
#endif
#ifdef CASE_b20_send_end_is_no_recv_end // no: incompatible type
void f(void) { takes_recv_end(out); }
#endif
#ifdef CASE_b20_chan_wants_its_end // no: incompatible type
void f(void) { takes_send_end(ints); }
#endif
#ifdef CASE_b20_directions // yes
void f(int v) {
  takes_send_end(ints.send_end);
  takes_recv_end(ints.recv_end);
  takes_chan(BW_CHAN_MAKE(int, 3));
  takes_recv_end(BW_CHAN_MAKE(int, 3).recv_end);
  bw_send(out, v), bw_close(out), bw_recv(in, &v);
  bw_send(ints, v), bw_recv(ints, &v), bw_close(ints);
  out = bw_retain(ints.send_end);
  ints = bw_retain(ints);
  bw_release(out), bw_release(in), bw_release(ints);
  if (bw_len(out) + bw_len(in) + bw_len(ints) == bw_cap(out) + bw_cap(in) + bw_cap(ints)) f(v);
}
#endif

// ---- types of values ----------------------------------------------------------------------------

#ifdef CASE_text_to_numbers // no: this value is not what the channel carries
void f(void) { bw_send(ints, "text"); }
#endif
#ifdef CASE_text_to_numbers_ctx // no: this value is not what the channel carries
int f(bw_context *ctx) { return bw_send_ctx(ctx, ints, "text"); }
#endif
#ifdef CASE_struct_to_numbers // no: this value is not what the channel carries
void f(job j) { bw_send(ints, j); }
#endif
#ifdef CASE_pointer_to_numbers // no: this value is not what the channel carries
void f(int *p) { bw_send(ints, p); }
#endif
#ifdef CASE_null_to_numbers // no: this value is not what the channel carries
void f(void) { bw_send(ints, NULL); }
#endif
#ifdef CASE_pointer_to_bools // no: this value is not what the channel carries
void f(int *p) { bw_send(bools, p); }
#endif
#ifdef CASE_array_to_numbers // no: this value is not what the channel carries
void f(void) {
  int a[3] = {0};
  bw_send(ints, a);
}
#endif
#ifdef CASE_number_to_structs // no: this value is not what the channel carries
void f(void) { bw_send(jobs, 1); }
#endif
#ifdef CASE_other_struct // no: this value is not what the channel carries
void f(other_job j) { bw_send(jobs, j); }
#endif
#ifdef CASE_pointer_to_struct // no: this value is not what the channel carries
void f(job *j) { bw_send(jobs, j); }
#endif
#ifdef CASE_number_to_pointers // no: this value is not what the channel carries
void f(int v) { bw_send(texts, v); }
#endif
#ifdef CASE_zero_to_pointers // no: this value is not what the channel carries
void f(void) { bw_send(texts, 0); }
#endif
#ifdef CASE_other_pointer // no: this value is not what the channel carries
void f(int *p) { bw_send(texts, p); }
#endif
#ifdef CASE_other_sign // no: this value is not what the channel carries
void f(unsigned char *p) { bw_send(words, p); }
#endif
#ifdef CASE_const_is_lost // no: this value is not what the channel carries
void f(const char *p) { bw_send(words, p); }
#endif
#ifdef CASE_volatile_is_lost // no: this value is not what the channel carries
void f(volatile char *p) { bw_send(texts, p); }
#endif
#ifdef CASE_void_to_pointers // no: this value is not what the channel carries
void f(void *p) { bw_send(texts, p); }
#endif
#ifdef CASE_deeper_pointer // no: this value is not what the channel carries
void f(struct node **p) { bw_send(nodes, p); }
#endif
#ifdef CASE_other_function // no: this value is not what the channel carries
void f(void) { bw_send(thunks, number); }
#endif
#ifdef CASE_number_to_events // no: this value is not what the channel carries
void f(void) { bw_send(units, 1); }
#endif
#ifdef CASE_other_chan // no: this value is not what the channel carries
void f(void) { bw_send(job_chans, ints); }
#endif
#ifdef CASE_end_for_chan // no: this value is not what the channel carries
void f(void) { bw_send(job_chans, jobs.send_end); }
#endif
#ifdef CASE_wrong_in_try_send // no: this value is not what the channel carries
int f(void) { return bw_try_send(out, "text"); }
#endif
#ifdef CASE_wrong_in_send_until // no: this value is not what the channel carries
int f(void) { return bw_send_until(out, "text", bw_now()); }
#endif
#ifdef CASE_wrong_in_case // no: this value is not what the channel carries
int f(int *v) { return BW_SELECT(bw_recv_case(in, v), bw_send_case(out, "text")); }
#endif
#ifdef CASE_comma_in_value // no: passed 3 arguments|too many arguments provided
void f(void) { bw_send(jobs, (job){1, "a"}); }
#endif
#ifdef CASE_values // yes
void f(volatile int v, job j, char *p, struct node *n) {
  static const char name[] = "name";
  const job constant = j;
  char place[4] = "abc";
  struct {
    unsigned b : 3;
  } bits = {1};
  bw_send(ints, 1), bw_send(ints, 'x'), bw_send(ints, 2.0), bw_send(ints, v), bw_send(ints, v++);
  bw_send(ints, number()), bw_send(ints, bits.b), bw_send(ints, GREEN), bw_send(ints, true);
  bw_send(doubles, 1), bw_send(doubles, v), bw_send(chars, 'x'), bw_send(chars, 65);
  bw_send(bools, true), bw_send(bools, 2), bw_send(colors, GREEN), bw_send(colors, 1);
  bw_send(jobs, j), bw_send(jobs, constant), bw_send(jobs, ((job){1, "a"}));
  bw_send(texts, "text"), bw_send(texts, NULL), bw_send(texts, p), bw_send(texts, name);
  bw_send(texts, v ? "text" : NULL), bw_send(texts, name + 1), bw_send(texts, j.file);
  bw_send(words, p), bw_send(words, place), bw_send(words, NULL);
  bw_send(anys, &v == NULL ? NULL : p), bw_send(anys, (void *)p), bw_send(nodes, n);
  bw_send(nodes, NULL), bw_send(thunks, declared), bw_send(thunks, &declared);
  bw_send(units, BW_UNIT), bw_send(job_chans, jobs), bw_send((*&ints), 1);
}
#endif

// ---- types of targets ---------------------------------------------------------------------------

#ifdef CASE_into_other_number // no: this target is not a pointer to what the channel carries
bool f(double *v) { return bw_recv(in, v); }
#endif
#ifdef CASE_into_other_sign // no: this target is not a pointer to what the channel carries
bool f(unsigned *v) { return bw_recv(in, v); }
#endif
#ifdef CASE_into_constant // no: this target is not a pointer to what the channel carries
bool f(const int *v) { return bw_recv(in, v); }
#endif
#ifdef CASE_into_anything // no: this target is not a pointer to what the channel carries
bool f(void *v) { return bw_recv(in, v); }
#endif
#ifdef CASE_into_value // no: this target is not a pointer to what the channel carries
bool f(int v) { return bw_recv(in, v); }
#endif
#ifdef CASE_into_other_struct // no: this target is not a pointer to what the channel carries
bool f(other_job *j) { return bw_recv(jobs, j); }
#endif
#ifdef CASE_into_whole_array // no: this target is not a pointer to what the channel carries
bool f(void) {
  int a[3];
  return bw_recv(in, &a);
}
#endif
#ifdef CASE_into_pointee // no: this target is not a pointer to what the channel carries
bool f(char *p) { return bw_recv(words, p); }
#endif
#ifdef CASE_wrong_in_try_recv // no: this target is not a pointer to what the channel carries
int f(double *v) { return bw_try_recv(in, v); }
#endif
#ifdef CASE_wrong_in_recv_until // no: this target is not a pointer to what the channel carries
int f(double *v) { return bw_recv_until(in, v, bw_now()); }
#endif
#ifdef CASE_wrong_in_recv_case // no: this target is not a pointer to what the channel carries
int f(double *v) { return BW_SELECT(bw_recv_case(in, v)); }
#endif
#ifdef CASE_wrong_in_recv_ok_case // no: this target is not a pointer to what the channel carries
int f(double *v, bool *ok) { return BW_SELECT(bw_recv_ok_case(in, v, ok)); }
#endif
#ifdef CASE_targets // yes
void f(bool *ok) {
  int v, a[2], *const p = &v;
  const char *s;
  job j;
  job_chan c;
  bw_recv(in, &v), bw_recv(in, a), bw_recv(in, &a[1]), bw_recv(in, p), bw_recv(in, NULL);
  bw_recv(texts, &s), bw_recv(jobs, &j), bw_recv(jobs, NULL), bw_recv(units, NULL);
  if (bw_recv(job_chans, &c)) bw_recv(c, &j);
  switch (BW_SELECT(bw_recv_case(in, &v), bw_recv_ok_case(texts, &s, ok), bw_send_case(out, v),
                    bw_send_case(jobs, ((job){v, s})), bw_recv_case(jobs, NULL))) {
  case 0: bw_close(ints); break;
  default: break;
  }
}
#endif

// ---- declarations -------------------------------------------------------------------------------

#ifdef CASE_type_not_declared // no: unknown type name 'bw_chan_of_late'
typedef struct late {
  int v;
} late;
static BW_CHAN(late) lates;
#endif
#ifdef CASE_type_declared_twice // no: redefinition of 'union bw_send_end_of_int'|redefinition of
                                // 'bw_send_end_of_int'
BW_CHAN_TYPE(int);
#endif
#ifdef CASE_element_too_large // no: an element of a channel has at most 65,535 bytes
typedef struct huge {
  char bytes[65536];
} huge;
BW_CHAN_TYPE(huge);
#endif
#ifdef CASE_other_element // no: incompatible type
void f(void) { takes_chan(doubles); }
#endif
#ifdef CASE_untyped_for_typed // no: incompatible type
void f(bw_chan *c) { takes_chan(c); }
#endif
#ifdef CASE_as_large_as_a_pointer // yes
_Static_assert(sizeof(BW_CHAN(job)) == sizeof(void *) && sizeof(out) == sizeof(void *) &&
                   sizeof(in) == sizeof(void *),
               "size");
#endif

// ---- behaviour 20: a timer's channel ------------------------------------------------------------

#ifdef CASE_b20_send_on_ticker // no: no member named 'may_send'
void f(bw_ticker *t) { bw_send(bw_ticker_times(t), 1); }
#endif
#ifdef CASE_b20_close_timer // no: no member named 'may_send'
void f(bw_timer *t) { bw_close(bw_timer_times(t)); }
#endif
#ifdef CASE_b20_receive_from_ticker // yes
void f(bw_ticker *t) {
  for (int64_t due; bw_recv(bw_ticker_times(t), &due);) {}
}
#endif

// ---- many at once -------------------------------------------------------------------------------

#ifdef CASE_send_n // yes
void f(void) {
  static const int some[] = {1, 2};
  int others[2] = {3, 4};
  bw_send_n(out, some, 2);
  bw_send_n(ints, others, 2);
}
#endif
#ifdef CASE_send_n_of_doubles // no: not a pointer to what the channel carries
void f(void) {
  double some[2] = {1, 2};
  bw_send_n(ints, some, 2);
}
#endif
#ifdef CASE_send_n_on_recv_end // no: no member named 'may_send'
void f(void) {
  int some[2] = {1, 2};
  bw_send_n(in, some, 2);
}
#endif
#ifdef CASE_recv_n_into_const // no: not a pointer to what the channel carries
size_t f(const int *to) { return bw_recv_n(in, to, 2); }
#endif
#ifdef CASE_recv_n_on_send_end // no: no member named 'may_recv'
size_t f(int *to) { return bw_recv_n(out, to, 2); }
#endif
