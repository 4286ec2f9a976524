// Why contexts ended: behaviours 137 to 139.
#include "context_util.h"

BW_CONTEXT_KEY(tag, const char);
BW_CONTEXT_KEY_DEFINE(tag);

enum { PARENT_CAUSE = -4001, CHILD_CAUSE = -4002, TOO_SLOW = -4003 };

// Checks and gives back.
static void check_cause(bw_context *ctx, int err, int cause, const char *text) {
  CHECK_EQ(bw_context_err(ctx), err);
  CHECK_EQ(bw_context_cause(ctx), cause);
  if (text)
    CHECK_STR(bw_context_cause_text(ctx), text);
  else
    CHECK(!bw_context_cause_text(ctx));
  bw_context_release(ctx);
}

static const char *const canceled = "context canceled", *const exceeded =
                                                            "context deadline exceeded";

static bw_context *cancelled_with(bw_context *parent, int code, const char *text) {
  bw_cancel *cancel;
  bw_context *ctx = bw_with_cancel(parent, &cancel);
  bw_cancel_cause(cancel, code, text);
  bw_cancel_release(cancel);
  return ctx;
}

CONTEXT_TEST(context_b137_causes) {
  (void)arg;
  bw_context *root = bw_context_background();
  bw_cancel *cancel;
  check_cause(root, 0, 0, NULL);
  check_cause(bw_context_todo(), 0, 0, NULL);
  check_cause(cancelled_with(root, 0, NULL), BW_ECANCELED, BW_ECANCELED, canceled);
  check_cause(cancelled_with(root, 0, "no code"), BW_ECANCELED, BW_ECANCELED, "no code");
  check_cause(cancelled_with(root, PARENT_CAUSE, "why"), BW_ECANCELED, PARENT_CAUSE, "why");
  check_cause(cancelled_with(root, BW_ENOMEM, NULL), BW_ECANCELED, BW_ENOMEM, "out of memory");

  bw_context *ctx = bw_with_cancel(root, &cancel);
  check_cause(bw_context_retain(ctx), 0, 0, NULL);
  bw_cancel_cause(cancel, PARENT_CAUSE, "first");
  bw_cancel_cause(cancel, CHILD_CAUSE, "second"); // too late
  bw_cancel_now(cancel);
  check_cause(ctx, BW_ECANCELED, PARENT_CAUSE, "first");
  bw_cancel_release(cancel);

  ctx = bw_with_timeout(root, 0, &cancel);
  check_cause(ctx, BW_EDEADLINE, BW_EDEADLINE, exceeded);
  bw_cancel_release(cancel);
  ctx = bw_with_timeout_cause(root, 0, TOO_SLOW, "too slow", &cancel);
  check_cause(ctx, BW_EDEADLINE, TOO_SLOW, "too slow");
  bw_cancel_release(cancel);
  ctx = bw_with_timeout_cause(root, BW_MILLISECOND, TOO_SLOW, "too slow", NULL); // by its timer
  context_wait(ctx);
  check_cause(ctx, BW_EDEADLINE, TOO_SLOW, "too slow");
  ctx = bw_with_timeout_cause(root, 3600 * BW_SECOND, TOO_SLOW, "too slow", &cancel);
  bw_cancel_now(cancel); // before its time: not the timeout's cause
  check_cause(ctx, BW_ECANCELED, BW_ECANCELED, canceled);
  bw_cancel_release(cancel);
  return 0;
}

// Parent and child, each with a cause of its own: the first that ends the child counts.
static void check_stacked(bool child_first, int parent_code, int child_code) {
  bw_cancel *cancel, *cancel_child;
  bw_context *parent = bw_with_cancel(bw_context_background(), &cancel);
  bw_context *child = bw_with_cancel(parent, &cancel_child);
  for (int i = 0; i < 2; i++) {
    if (child_first == (i == 0))
      bw_cancel_cause(cancel_child, child_code, "child");
    else
      bw_cancel_cause(cancel, parent_code, "parent");
  }
  int of_parent = parent_code ? parent_code : BW_ECANCELED;
  int of_child = child_code ? child_code : BW_ECANCELED;
  check_cause(parent, BW_ECANCELED, of_parent, "parent");
  // The parent is gone; the text is kept by the child, whoever said it.
  check_cause(child, BW_ECANCELED, child_first ? of_child : of_parent,
              child_first ? "child" : "parent");
  bw_cancel_release(cancel);
  bw_cancel_release(cancel_child);
}

CONTEXT_TEST(context_b137_first_cause_counts) {
  (void)arg;
  for (int order = 0; order < 2; order++) {
    check_stacked(order, PARENT_CAUSE, CHILD_CAUSE);
    check_stacked(order, 0, CHILD_CAUSE);
    check_stacked(order, PARENT_CAUSE, 0);
  }
  bw_context *parent = cancelled_with(bw_context_background(), PARENT_CAUSE, "parent");
  bw_cancel *cancel;
  bw_context *ctx = bw_with_timeout_cause(parent, 3600 * BW_SECOND, TOO_SLOW, "too slow", &cancel);
  bw_context *value = bw_with_value(ctx, &tag_key, NULL, NULL),
             *below = bw_with_cancel(value, NULL);
  bw_context_release(parent);
  bw_context_release(ctx);
  bw_context_release(value);
  bw_cancel_release(cancel);
  check_cause(below, BW_ECANCELED, PARENT_CAUSE, "parent"); // handed down through all of these
  return 0;
}

// What is said first is said for good, while the parent's cause comes from elsewhere.
typedef struct {
  bw_context *ctx;
  int cause;
} reader;

static void read_cause(void *arg) {
  reader *r = arg;
  while (bw_context_err(r->ctx) == 0) {
    CHECK(!bw_context_cause_text(r->ctx) || bw_context_err(r->ctx));
    bw_gosched();
  }
  // Err is there, and so are the others.
  CHECK_EQ(bw_context_err(r->ctx), BW_ECANCELED);
  CHECK_EQ(bw_context_cause(r->ctx), r->cause);
  CHECK_STR(bw_context_cause_text(r->ctx), "raced");
  bw_context_release(r->ctx);
}

CONTEXT_TEST(context_b138_cause_is_synchronised) {
  (void)arg;
  for (int i = 0; i < 50; i++) {
    bw_cancel *cancel;
    bw_context *ctx = bw_with_cancel(bw_context_background(), &cancel);
    bw_context *below = bw_with_cancel(ctx, NULL);
    reader r[4];
    for (int k = 0; k < 4; k++) {
      r[k] = (reader){bw_context_retain(k % 2 ? ctx : below), -5000 - i};
      CHECK_EQ(bw_go(read_cause, &r[k]), 0);
    }
    if (i % 3) bw_gosched();
    bw_cancel_cause(cancel, -5000 - i, "raced");
    context_wait_alone();
    bw_cancel_release(cancel);
    bw_context_release(ctx);
    bw_context_release(below);
  }
  return 0;
}

static void check_apart(bw_context *parent, const char *value) {
  bw_context *ctx = bw_without_cancel(parent);
  CHECK(!bw_context_done(ctx) && !bw_context_may_end(ctx));
  CHECK(!bw_context_deadline(ctx, NULL));
  check_cause(bw_context_retain(ctx), 0, 0, NULL);
  CHECK(tag_of(ctx) == value);
  bw_cancel *cancel;
  bw_context *again = bw_with_cancel(ctx, &cancel); // can be ended again
  context_check_open(again);
  bw_cancel_cause(cancel, CHILD_CAUSE, "own");
  check_cause(again, BW_ECANCELED, CHILD_CAUSE, "own");
  bw_cancel_release(cancel);
  bw_context_release(ctx);
}

CONTEXT_TEST(context_b139_without_cancel) {
  (void)arg;
  static const char value[] = "value";
  bw_cancel *cancel;
  bw_context *v = bw_with_value(bw_context_background(), &tag_key, (void *)value, NULL);
  bw_context *ctx = bw_with_timeout_cause(v, 3600 * BW_SECOND, TOO_SLOW, "too slow", &cancel);
  check_apart(bw_context_background(), NULL);
  check_apart(v, value);
  check_apart(ctx, value);
  bw_cancel_cause(cancel, PARENT_CAUSE, "parent");
  check_apart(ctx, value);
  bw_cancel_release(cancel);
  bw_context_release(ctx);
  bw_context_release(v);
  return 0;
}
