// Each operation in all of its forms: plain, as the only case of a select, as one of two, as one of
// so many that the select needs memory; waiting, trying, with a deadline. They are to agree.
#include "chan_util.h"

#include "comm/chan.h"

typedef struct {
  chan_form form;
  bw_chan *c, *dummy;
  void *value;
  int code;
  atomic_bool done;
} form_call;

static void form_send(void *arg) {
  form_call *call = arg;
  call->code = chan_form_send(call->form, call->c, call->value, call->dummy);
  atomic_store(&call->done, true);
}

static void form_recv(void *arg) {
  form_call *call = arg;
  call->code = chan_form_recv(call->form, call->c, call->value, call->dummy);
  atomic_store(&call->done, true);
}

static void begin(form_call *call, void (*fn)(void *)) {
  atomic_store(&call->done, false);
  CHECK_EQ(bw_go(fn, call), 0);
  settle();
}

// ---- closed channels ----------------------------------------------------------------------------

// behaviours 5, 14, 15: what is buffered in order, then zero for ever, at once, and no default
static int drain(void *arg) {
  (void)arg;
  bw_chan *dummy = bw_chan_make(0, 0);
  for (chan_form form = 0; form < FORMS; form++) {
    for (int cap = 0; cap < 4; cap++) {
      bw_chan *c = bw_chan_make(sizeof(int), cap);
      int v;
      for (int i = 1; i <= cap; i++) bw_chan_send(c, &i);
      bw_chan_close(c);
      for (int i = 1; i <= cap; i++) {
        CHECK_EQ(chan_form_recv(form, c, &v, dummy), 0);
        CHECK_EQ(v, i);
      }
      for (int i = 0; i < 3; i++) {
        v = 5;
        CHECK_EQ(chan_form_recv(form, c, &v, dummy), BW_ECLOSED);
        CHECK_EQ(v, 0);
        CHECK_EQ(chan_form_recv(form, c, NULL, dummy), BW_ECLOSED);
      }
      bw_chan_release(c);
    }
  }
  bw_chan_release(dummy);
  return 0;
}
TEST(chan_b5_b14_b15_drain_in_all_forms) { test_run(drain, NULL, 1); }

// behaviour 6 in the forms that wait: close wakes them with (zero, false)
static int close_wakes(void *arg) {
  (void)arg;
  bw_chan *dummy = bw_chan_make(0, 0);
  for (chan_form form = 0; form < FORM_WAITING; form++) {
    int v = 9;
    form_call r = {form, bw_chan_make(sizeof v, (ptrdiff_t)form % 2), dummy, &v, .code = 0};
    begin(&r, form_recv);
    BLOCKS(r);
    bw_chan_close(r.c);
    settle();
    DOES_NOT_BLOCK(r);
    CHECK_EQ(r.code, BW_ECLOSED);
    CHECK_EQ(v, 0);
    bw_chan_release(r.c);
  }
  bw_chan_release(dummy);
  return 0;
}
TEST(chan_b6_b15_close_wakes_all_forms) { test_run(close_wakes, NULL, 1); }

// behaviours 11 and 15: a send panics in all forms
static int send_on_closed(void *arg) {
  bw_chan *c = bw_chan_make(sizeof(int), 1);
  bw_chan_close(c);
  chan_form_send(*(chan_form *)arg, c, &(int){1}, bw_chan_make(0, 0));
  return 0;
}
static void run_send_on_closed(chan_form form) { test_run(send_on_closed, &form, 1); }
#define CLOSED "panic: send on closed channel\n\ngoroutine 1 [running]:"
DEATH_TEST(chan_b11_b15_send_one_case, 2, CLOSED) { run_send_on_closed(FORM_ONE); }
DEATH_TEST(chan_b11_b15_send_two_cases, 2, CLOSED) { run_send_on_closed(FORM_TWO); }
DEATH_TEST(chan_b11_b15_send_many_cases, 2, CLOSED) { run_send_on_closed(FORM_MANY); }
DEATH_TEST(chan_b11_b15_send_until, 2, CLOSED) { run_send_on_closed(FORM_UNTIL); }
DEATH_TEST(chan_b11_b15_send_two_until, 2, CLOSED) { run_send_on_closed(FORM_TWO_UNTIL); }
DEATH_TEST(chan_b11_b15_send_try_one, 2, CLOSED) { run_send_on_closed(FORM_TRY_ONE); }
DEATH_TEST(chan_b11_b15_send_try_two, 2, CLOSED) { run_send_on_closed(FORM_TRY_TWO); }
DEATH_TEST(chan_b11_b15_send_try_many, 2, CLOSED) { run_send_on_closed(FORM_TRY_MANY); }
DEATH_TEST(chan_b11_b15_send_past, 2, CLOSED) { run_send_on_closed(FORM_PAST); }
DEATH_TEST(chan_b11_b15_send_two_past, 2, CLOSED) { run_send_on_closed(FORM_TWO_PAST); }

// The same when the channel is closed while they wait.
static int closed_while_waiting(void *arg) {
  form_call s = {*(chan_form *)arg, bw_chan_make(sizeof(int), 0), bw_chan_make(0, 0), &(int){1},
                 .code = 0};
  begin(&s, form_send);
  BLOCKS(s);
  bw_chan_close(s.c);
  settle();
  return 0;
}
static void run_closed_while_waiting(chan_form form) { test_run(closed_while_waiting, &form, 1); }
#define CLOSED_2 "panic: send on closed channel\n\ngoroutine 2 [running]:"
DEATH_TEST(chan_b11_b15_waiting_one_case, 2, CLOSED_2) { run_closed_while_waiting(FORM_ONE); }
DEATH_TEST(chan_b11_b15_waiting_two_cases, 2, CLOSED_2) { run_closed_while_waiting(FORM_TWO); }
DEATH_TEST(chan_b11_b15_waiting_many_cases, 2, CLOSED_2) { run_closed_while_waiting(FORM_MANY); }
DEATH_TEST(chan_b11_b15_waiting_until, 2, CLOSED_2) { run_closed_while_waiting(FORM_UNTIL); }
DEATH_TEST(chan_b11_b15_waiting_two_until, 2, CLOSED_2) {
  run_closed_while_waiting(FORM_TWO_UNTIL);
}

// behaviour 11: and the value is not stored
TEST(chan_b11_value_is_not_stored) {
  for (int cap = 0; cap < 3; cap++) {
    bw_chan *c = bw_chan_make(sizeof(int), cap);
    bw_chan_close(c);
    CHECK_EQ(bw__chan_send(c, &(int){1}), BW_ECLOSED);
    CHECK_EQ(bw__chan_try_send(c, &(int){1}), BW_ECLOSED);
    CHECK_EQ(bw_chan_len(c), 0);
    CHECK(!bw_chan_recv(c, NULL));
    bw_chan_release(c);
  }
}

// ---- open channels ------------------------------------------------------------------------------

// behaviours 2, 4, 15, 33: a form that does not wait says so, touches nothing, and goes on as soon
// as there is a value, or room
static int trying(void *arg) {
  (void)arg;
  bw_chan *dummy = bw_chan_make(0, 0);
  for (chan_form form = FORM_WAITING; form < FORMS; form++) {
    for (int cap = 0; cap < 4; cap++) {
      bw_chan *c = bw_chan_make(sizeof(int), cap);
      int v = 77;
      CHECK_EQ(chan_form_recv(form, c, &v, dummy), BW_EAGAIN);
      CHECK_EQ(v, 77);
      for (int i = 0; i < cap; i++) CHECK_EQ(chan_form_send(form, c, &i, dummy), 0);
      CHECK_EQ(chan_form_send(form, c, &v, dummy), BW_EAGAIN);
      CHECK_EQ(bw_chan_len(c), cap);
      for (int i = 0; i < cap; i++) {
        CHECK_EQ(chan_form_recv(form, c, &v, dummy), 0);
        CHECK_EQ(v, i);
      }
      CHECK_EQ(chan_form_recv(form, c, NULL, dummy), BW_EAGAIN);
      bw_chan_release(c);
    }
  }
  bw_chan_release(dummy);
  return 0;
}
TEST(chan_b2_b4_b33_trying_in_all_forms) { test_run(trying, NULL, 1); }

// behaviours 1, 3, 15, 45: all forms that wait do, and each pairs with each form of the other side,
// whoever comes first. The value is dropped in every second round.
static void pair(form_call *first, void (*first_fn)(void *), form_call *second,
                 void (*second_fn)(void *)) {
  begin(first, first_fn);
  BLOCKS(*first);
  begin(second, second_fn);
  DOES_NOT_BLOCK(*second);
  DOES_NOT_BLOCK(*first);
  CHECK_EQ(first->code, 0);
  CHECK_EQ(second->code, 0);
}

static int all_pairs(void *arg) {
  (void)arg;
  bw_chan *dummy = bw_chan_make(0, 0);
  for (int round = 0; round < 2 * FORMS * FORMS; round++) {
    chan_form sending = round / 2 % FORMS, receiving = round / 2 / FORMS;
    int sent = round, got = -1, *into = round % 2 ? NULL : &got;
    bw_chan *c = bw_chan_make(sizeof(int), 0);
    form_call s = {sending, c, dummy, &sent, .code = 1}, r = {receiving, c, dummy, into, .code = 1};
    if (sending < FORM_WAITING) {
      pair(&s, form_send, &r, form_recv);
      CHECK_EQ(got, into ? sent : -1);
    }
    got = -1;
    if (receiving < FORM_WAITING) {
      pair(&r, form_recv, &s, form_send);
      CHECK_EQ(got, into ? sent : -1);
    }
    bw_chan_release(c);
  }
  bw_chan_release(dummy);
  return 0;
}
TEST(chan_b1_b3_b45_all_forms_pair) { test_run(all_pairs, NULL, 1); }

// behaviour 3 with a full buffer: the waiting sender's value comes last
static int behind_a_buffer(void *arg) {
  (void)arg;
  bw_chan *dummy = bw_chan_make(0, 0);
  for (chan_form form = 0; form < FORM_WAITING; form++) {
    bw_chan *c = bw_chan_make(sizeof(int), 2);
    for (int i = 0; i < 2; i++) bw_chan_send(c, &i);
    form_call s = {form, c, dummy, &(int){2}, .code = 1};
    begin(&s, form_send);
    BLOCKS(s);
    for (int i = 0, v; i < 3; i++) {
      CHECK(bw_chan_recv(c, &v));
      CHECK_EQ(v, i);
    }
    settle();
    DOES_NOT_BLOCK(s);
    bw_chan_release(c);
  }
  bw_chan_release(dummy);
  return 0;
}
TEST(chan_b3_b15_behind_a_buffer) { test_run(behind_a_buffer, NULL, 1); }

// ---- what is carried ----------------------------------------------------------------------------

// behaviours 18 and 26: values of all kinds, pointers among them, in all forms, directly and
// through a buffer
typedef struct {
  const char *text;
  size_t len;
} string;

typedef union {
  unsigned char bytes[24];
  bool b;
  int32_t i32;
  int64_t i64;
  void *pointer;
  string s;
} any;

static void carry(size_t size, const any *value, chan_form form, bw_chan *dummy) {
  for (int cap = 0; cap < 2; cap++) {
    any got, sent = *value;
    memset(&got, 0xee, sizeof got);
    bw_chan *c = bw_chan_make(size, cap);
    form_call s = {form < FORM_WAITING ? form : FORM_PLAIN, c, dummy, &sent, .code = 1};
    begin(&s, form_send);
    form_call r = {form, c, dummy, &got, .code = 1};
    begin(&r, form_recv);
    CHECK(atomic_load(&s.done) && atomic_load(&r.done));
    CHECK_EQ(memcmp(&got, value, size), 0);
    for (size_t i = size; i < sizeof got.bytes; i++) CHECK_EQ(got.bytes[i], 0xee);
    bw_chan_release(c);
  }
}

static int kinds(void *arg) {
  (void)arg;
  bw_chan *dummy = bw_chan_make(0, 0);
  for (chan_form form = 0; form < FORMS; form++) {
    carry(0, &(any){.b = true}, form, dummy);
    carry(sizeof(bool), &(any){.b = true}, form, dummy);
    carry(sizeof(int32_t), &(any){.i32 = -1234567}, form, dummy);
    carry(sizeof(int64_t), &(any){.i64 = INT64_MIN + 3}, form, dummy);
    carry(sizeof(void *), &(any){.pointer = dummy}, form, dummy);
    carry(sizeof(string), &(any){.s = {"text", 4}}, form, dummy);
    carry(24, &(any){.bytes = "twenty-three characters"}, form, dummy);
  }
  bw_chan_release(dummy);
  return 0;
}
TEST(chan_b18_b26_kinds_in_all_forms) { test_run(kinds, NULL, 1); }

// behaviour 19: channels through channels; each request brings the channel for its answer
static void answer(void *arg) {
  for (bw_chan *reply; bw_chan_recv(arg, &reply);) {
    bw_chan_send(reply, &(int){42});
    bw_chan_release(reply);
  }
}

static int channel_of_channels(void *arg) {
  (void)arg;
  for (int cap = 0; cap < 2; cap++) {
    bw_chan *requests = bw_chan_make(sizeof(bw_chan *), cap);
    CHECK_EQ(bw_go(answer, requests), 0);
    for (int i = 0; i < 10; i++) {
      bw_chan *reply = bw_chan_make(sizeof(int), 0), *mine = bw_chan_retain(reply);
      int v = 0;
      bw_chan_send(requests, &reply);
      CHECK(bw_chan_recv(mine, &v));
      CHECK_EQ(v, 42);
      bw_chan_release(mine);
    }
    bw_chan_close(requests);
    while (bw_num_goroutine() > 1) bw_gosched();
    bw_chan_release(requests);
  }
  return 0;
}
TEST(chan_b19_channel_of_channels) { test_run(channel_of_channels, NULL, 2); }

// behaviour 16: nil channels wait for ever in all forms that wait, and never go on in the others
static int nil_channels(void *arg) {
  (void)arg;
  bw_chan *dummy = bw_chan_make(0, 0);
  for (chan_form form = FORM_WAITING; form < FORMS; form++) {
    int v = 3;
    CHECK_EQ(chan_form_send(form, NULL, &v, dummy), BW_EAGAIN);
    CHECK_EQ(chan_form_recv(form, NULL, &v, dummy), BW_EAGAIN);
    CHECK_EQ(v, 3);
  }
  static form_call calls[2 * FORM_WAITING];
  static int v;
  for (int i = 0; i < 2 * FORM_WAITING; i++) {
    calls[i] = (form_call){(chan_form)(i / 2), NULL, dummy, &v, .code = 1};
    begin(&calls[i], i % 2 ? form_send : form_recv);
  }
  for (int i = 0; i < 2 * FORM_WAITING; i++) BLOCKS(calls[i]);
  CHECK_EQ(bw_num_goroutine(), 1 + 2 * FORM_WAITING);
  return 0; // they never end; dummy is theirs
}
TEST(chan_b16_nil_in_all_forms) { test_run(nil_channels, NULL, 1); }
