// Typed channels at run time: they do what the untyped ones do, whatever the element. What must not
// compile is in compile/chan_of.c.
#include "chan_util.h"

#include "comm/chan_state.h"

typedef struct job {
  int64_t id;
  const char *file;
} job;
typedef const char *text;
BW_CHAN_TYPE(job);
BW_CHAN_TYPE(text);
typedef BW_CHAN(job) job_chan;
BW_CHAN_TYPE(job_chan);

// ---- directions ---------------------------------------------------------------------------------

enum { VALUES = 100 };

static void produce(BW_SEND_END(int) out) {
  for (int i = 0; i < VALUES; i++) bw_send(out, i);
  bw_close(out);
}

static void run_produce(void *arg) {
  BW_SEND_END(int) out = {arg};
  produce(out);
  bw_release(out);
}

static int consume(BW_RECV_END(int) in) {
  int want = 0;
  for (int v; bw_recv(in, &v); want++) CHECK_EQ(v, want);
  return want;
}

static int ends(void *arg) {
  (void)arg;
  for (int cap = 0; cap < 3; cap++) {
    BW_CHAN(int) c = BW_CHAN_MAKE(int, cap);
    CHECK(c.chan && c.send_end.chan == c.chan && c.recv_end.chan == c.chan);
    CHECK_EQ(bw_chan_elem_size(c.chan), sizeof(int));
    CHECK_EQ(bw_cap(c.send_end), cap);
    CHECK_EQ(bw_go(run_produce, bw_retain(c.send_end).chan), 0);
    CHECK_EQ(consume(c.recv_end), VALUES);
    bw_release(c);
  }
  return 0;
}
TEST(chan_typed_b20_ends) { test_run(ends, NULL, 0); }

// Where the compiler does not see it: a channel that the program may only receive from.
static bw_chan *receive_only(void) {
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  CHECK(c != NULL);
  bw__shared_store(&c->flags, BW_CHAN_RECV_ONLY);
  return c;
}

DEATH_TEST(chan_typed_b20_untyped_send, 2, "panic: send to receive-only channel") {
  bw_chan_send(receive_only(), &(int){1});
}
DEATH_TEST(chan_typed_b20_untyped_try_send, 2, "panic: send to receive-only channel") {
  bw_chan_try_send(receive_only(), &(int){1});
}
DEATH_TEST(chan_typed_b20_untyped_select, 2, "panic: send to receive-only channel") {
  bw_chan *c = receive_only();
  BW_SELECT(bw_on_send(c, &(int){1}), bw_on_send(NULL, NULL));
}
DEATH_TEST(chan_typed_b20_untyped_close, 2, "panic: close of receive-only channel") {
  bw_chan_close(receive_only());
}

// ---- elements -----------------------------------------------------------------------------------

// One value of each kind through each capacity, by every form. `same(got)` judges what came.
#define THROUGH(T, v, same)                                                                        \
  for (int cap = 1; cap < 3; cap++) {                                                              \
    BW_CHAN(T) c = BW_CHAN_MAKE(T, cap);                                                           \
    T got;                                                                                         \
    bw_send(c, v);                                                                                 \
    CHECK(bw_recv(c, &got) && same(got));                                                          \
    CHECK_EQ(bw_try_send(c, v), 0);                                                                \
    memset((void *)&got, 0x55, sizeof got);                                                        \
    CHECK(bw_try_recv(c, &got) == 0 && same(got));                                                 \
    CHECK_EQ(bw_send_until(c, v, bw_now() + BW_SECOND), 0);                                        \
    memset((void *)&got, 0x55, sizeof got);                                                        \
    CHECK(bw_recv_until(c, &got, bw_now() + BW_SECOND) == 0 && same(got));                         \
    bool ok = false;                                                                               \
    CHECK_EQ(BW_SELECT(bw_send_case(c, v)), 0);                                                    \
    memset((void *)&got, 0x55, sizeof got);                                                        \
    CHECK_EQ(BW_SELECT(bw_recv_ok_case(c, &got, &ok)), 0);                                         \
    CHECK(ok &&same(got));                                                                         \
    CHECK_EQ(bw_try_recv(c, &got), BW_EAGAIN);                                                     \
    bw_close(c);                                                                                   \
    CHECK(!bw_recv(c, NULL));                                                                      \
    bw_release(c);                                                                                 \
  }

#define IS_7(got)      ((got) == 7)
#define IS_TRUE(got)   ((got) == true)
#define IS_HALF(got)   ((got) == 0.5)
#define IS_TEXT(got)   (strcmp(got, "text") == 0)
#define IS_JOB(got)    ((got).id == 7 && strcmp((got).file, "text") == 0)
#define IS_UNIT(got)   (sizeof(got) == 0)
#define IS_NIL_OF(got) ((got).chan == NULL)

static int kinds(void *arg) {
  (void)arg;
  THROUGH(int8_t, 7, IS_7)
  THROUGH(int16_t, 7, IS_7)
  THROUGH(int32_t, 7, IS_7)
  THROUGH(int64_t, 7, IS_7)
  THROUGH(uint8_t, 7, IS_7)
  THROUGH(size_t, 7, IS_7)
  THROUGH(double, 7, IS_7)
  THROUGH(double, 0.5, IS_HALF)
  THROUGH(float, 0.5, IS_HALF)
  THROUGH(bool, 7, IS_TRUE)
  THROUGH(text, "text", IS_TEXT)
  THROUGH(job, ((job){7, "text"}), IS_JOB)
  THROUGH(bw_unit, BW_UNIT, IS_UNIT)
  THROUGH(job_chan, ((job_chan){NULL}), IS_NIL_OF)
  return 0;
}
TEST(chan_typed_b18_kinds) { test_run(kinds, NULL, 1); }

// Go: cc <- c; (<-cc) <- v
static int chan_of_chan(void *arg) {
  (void)arg;
  BW_CHAN(job_chan) cc = BW_CHAN_MAKE(job_chan, 1);
  BW_CHAN(job) c = BW_CHAN_MAKE(job, 1);
  bw_send(cc, c);
  BW_CHAN(job) got;
  CHECK(bw_recv(cc, &got) && got.chan == c.chan);
  bw_send(got, ((job){1, "a"}));
  job j;
  CHECK(bw_recv(c, &j));
  CHECK_EQ(j.id, 1);
  CHECK_STR(j.file, "a");
  bw_release(c);
  bw_release(cc);
  return 0;
}
TEST(chan_typed_b19_chan_of_chan) { test_run(chan_of_chan, NULL, 1); }

// What C converts on assignment, it converts here.
static int conversions(void *arg) {
  (void)arg;
  BW_CHAN(double) d = BW_CHAN_MAKE(double, 4);
  bw_send(d, 1);
  bw_send(d, 'a');
  bw_send(d, 1u << 31);
  bw_send(d, true);
  const double want[] = {1, 'a', 2147483648.0, 1};
  for (int i = 0; i < 4; i++) {
    double v;
    CHECK(bw_recv(d, &v) && v == want[i]);
  }
  bw_release(d);
  BW_CHAN(uint8_t) bytes = BW_CHAN_MAKE(uint8_t, 1);
  int wide = 0x1234;
  bw_send(bytes, wide);
  uint8_t byte;
  CHECK(bw_recv(bytes, &byte));
  CHECK_EQ(byte, 0x34);
  bw_release(bytes);
  return 0;
}
TEST(chan_typed_conversions) { test_run(conversions, NULL, 1); }

// ---- evaluation ---------------------------------------------------------------------------------

static int counted;
static BW_CHAN(int) shared;
static int received;

static BW_CHAN(int) chan_counted(void) { return counted++, shared; }
static int value_counted(void) { return ++counted; }
static int *target_counted(void) { return counted++, &received; }

#define COUNTS(n, ...)                                                                             \
  do {                                                                                             \
    counted = 0;                                                                                   \
    __VA_ARGS__;                                                                                   \
    CHECK_EQ(counted, n);                                                                          \
  } while (0)

static int evaluated_once(void *arg) {
  (void)arg;
  shared = BW_CHAN_MAKE(int, 2);
  int64_t never = bw_now() - 1;
  COUNTS(2, bw_send(chan_counted(), value_counted()));
  COUNTS(2, CHECK(bw_recv(chan_counted(), target_counted())));
  COUNTS(2, CHECK_EQ(bw_try_send(chan_counted(), value_counted()), 0));
  COUNTS(2, CHECK_EQ(bw_try_recv(chan_counted(), target_counted()), 0));
  COUNTS(2, CHECK_EQ(bw_send_until(chan_counted(), value_counted(), never), 0));
  COUNTS(2, CHECK_EQ(bw_recv_until(chan_counted(), target_counted(), never), 0));
  COUNTS(1, CHECK_EQ(bw_len(chan_counted()), 0));
  COUNTS(1, CHECK_EQ(bw_cap(chan_counted()), 2));
  COUNTS(1, (void)bw_retain(chan_counted()));
  COUNTS(1, bw_release(chan_counted()));
  bool ok;
  // Cases that do not happen are evaluated as well.
  BW_CHAN(int) nil = {NULL};
  COUNTS(4, CHECK_EQ(BW_SELECT(bw_recv_case(nil, target_counted()),
                               bw_send_case(chan_counted(), value_counted()),
                               bw_send_case(nil, value_counted())),
                     1));
  COUNTS(3, CHECK_EQ(BW_TRY_SELECT(bw_recv_ok_case(chan_counted(), target_counted(), &ok),
                                   bw_send_case(nil, value_counted())),
                     0));
  int i = 0;
  bw_send(shared, i++);
  CHECK_EQ(i, 1);
  COUNTS(1, bw_close(chan_counted()));
  bw_release(shared);
  return 0;
}
TEST(chan_typed_b28_evaluated_once) { test_run(evaluated_once, NULL, 1); }

// ---- select -------------------------------------------------------------------------------------

typedef struct {
  BW_RECV_END(int64_t) numbers;
  BW_RECV_END(job) jobs;
  BW_RECV_END(bw_unit) quit;
  BW_SEND_END(int64_t) sums;
} adder;

// Adds up what comes on two channels of different types until it is told to quit.
static void add(void *arg) {
  adder *a = arg;
  int64_t sum = 0, number;
  job j;
  for (;;) {
    switch (BW_SELECT(bw_recv_case(a->numbers, &number), bw_recv_case(a->jobs, &j),
                      bw_recv_case(a->quit, NULL))) {
    case 0: sum += number; break; // behaviour 46: leaves the switch and not the loop
    case 1: sum += j.id; break;
    default: bw_send(a->sums, sum); return;
    }
  }
}

static int select_typed(void *arg) {
  (void)arg;
  BW_CHAN(int64_t) numbers = BW_CHAN_MAKE(int64_t, 0), sums = BW_CHAN_MAKE(int64_t, 0);
  BW_CHAN(job) jobs = BW_CHAN_MAKE(job, 1);
  BW_CHAN(bw_unit) quit = BW_CHAN_MAKE(bw_unit, 0);
  adder a = {numbers.recv_end, jobs.recv_end, quit.recv_end, sums.send_end};
  CHECK_EQ(bw_go(add, &a), 0);
  int64_t left = 0, right = 0;
  for (int i = 0; i < 1000; i++) {
    switch (BW_SELECT(bw_send_case(numbers, i), bw_send_case(jobs, ((job){i, NULL})))) {
    case 0: left += i; break;
    default: right += i;
    }
  }
  while (bw_len(jobs) > 0) bw_gosched();
  bw_send(quit, BW_UNIT);
  int64_t sum;
  CHECK(bw_recv(sums, &sum));
  CHECK_EQ(sum, left + right);
  CHECK_EQ(left + right, 999 * 1000 / 2);
  bw_release(numbers), bw_release(sums), bw_release(jobs), bw_release(quit);
  return 0;
}
TEST(chan_typed_b46_select) { test_run(select_typed, NULL, 0); }

static int deadlines(void *arg) {
  (void)arg;
  BW_CHAN(int) c = BW_CHAN_MAKE(int, 0), nil = {NULL};
  int v = 5;
  CHECK_EQ(bw_send_until(c, 1, bw_now() + BW_MILLISECOND), BW_ETIMEDOUT);
  CHECK_EQ(bw_recv_until(c, &v, bw_now() + BW_MILLISECOND), BW_ETIMEDOUT);
  CHECK_EQ(bw_recv_until(nil, &v, bw_now() + BW_MILLISECOND), BW_ETIMEDOUT);
  CHECK_EQ(bw_try_send(nil, 1), BW_EAGAIN);
  CHECK_EQ(bw_len(nil) + bw_cap(nil), 0);
  CHECK_EQ(v, 5);
  bw_close(c);
  CHECK_EQ(bw_recv_until(c, &v, bw_now() + BW_MILLISECOND), BW_ECLOSED);
  CHECK_EQ(v, 0);
  bw_release(c);
  bw_release(nil);
  return 0;
}
TEST(chan_typed_deadlines) { test_run(deadlines, NULL, 1); }

DEATH_TEST(chan_typed_send_on_closed, 2, "panic: send on closed channel") {
  BW_CHAN(int) c = BW_CHAN_MAKE(int, 1);
  bw_close(c.send_end);
  bw_send(c, 1);
}

// ---- many at once -------------------------------------------------------------------------------

static int many_at_once(void *arg) {
  (void)arg;
  static const int from[] = {1, 2, 3, 4};
  int more[] = {5, 6}, to[6] = {0};
  BW_CHAN(int) c = BW_CHAN_MAKE(int, 6);
  bw_send_n(c, from, 4);
  bw_send_n(c.send_end, more, 2);
  CHECK_EQ(bw_recv_n(c.recv_end, to, 5), 5);
  CHECK_EQ(bw_recv_n(c, NULL, 5), 1);
  for (int i = 0; i < 5; i++) CHECK_EQ(to[i], i + 1);
  bw_close(c);
  CHECK_EQ(bw_recv_n(c, to, 5), 0);
  bw_release(c);
  return 0;
}
TEST(chan_typed_many_at_once) { test_run(many_at_once, NULL, 1); }
