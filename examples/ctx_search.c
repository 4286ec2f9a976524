// One question to several servers: the first answer counts, the others are told to stop; a slow
// round runs out of time; and the number of the request goes along as a value, past functions that
// need not know it.
#include <burrow/burrow.h>
#include <stdio.h>

BW_CONTEXT_KEY(request, const int);
BW_CONTEXT_KEY_DEFINE(request);

enum { SERVERS = 3 };

typedef struct {
  bw_context *ctx; // the argument of a goroutine that ends before the call that starts it
  bw_chan *answers;
  int64_t takes;
  int number;
} query;

static int ask(bw_context *ctx, int number, int64_t takes, int *answer) {
  int code = bw_sleep_ctx(ctx, takes); // the network
  if (code == 0) *answer = *request_of(ctx) * 10 + number;
  return code;
}

static void ask_one(void *arg) {
  query *q = arg;
  int answer;
  if (ask(q->ctx, q->number, q->takes, &answer) == 0) bw_chan_send_ctx(q->ctx, q->answers, &answer);
}

// The first answer, or why there is none.
static int search(bw_context *parent, const int64_t *takes, int64_t timeout, int *answer) {
  bw_cancel *cancel;
  bw_context *ctx =
      bw_with_timeout_cause(parent, timeout, 0, "no server was quick enough", &cancel);
  bw_chan *answers = bw_chan_make(sizeof *answer, 0);
  if (!ctx || !answers) return BW_ENOMEM;
  bw_waitgroup asking = {0};
  query q[SERVERS];
  for (int i = 0; i < SERVERS; i++) {
    q[i] = (query){ctx, answers, takes[i], i + 1};
    bw_waitgroup_go(&asking, ask_one, &q[i]);
  }
  int code = bw_chan_recv_ctx(ctx, answers, answer);
  if (code) printf("%s: %s\n", bw_strerror(code), bw_context_cause_text(ctx));
  bw_cancel_release(cancel); // the rest of them stop
  bw_waitgroup_wait(&asking);
  bw_chan_release(answers);
  bw_context_release(ctx);
  return code;
}

static int app(void *arg) {
  (void)arg;
  static const int number = 7;
  static const int64_t quick[] = {3600 * BW_SECOND, BW_MILLISECOND, 3600 * BW_SECOND};
  static const int64_t slow[] = {3600 * BW_SECOND, 3600 * BW_SECOND, 3600 * BW_SECOND};
  bw_context *ctx = with_request(bw_context_background(), &number, NULL);
  int answer;
  if (search(ctx, quick, 3600 * BW_SECOND, &answer) == 0) printf("answer %d\n", answer);
  search(ctx, slow, 5 * BW_MILLISECOND, &answer);
  bw_context_release(ctx);
  return 0;
}

int main(void) { return bw_run(app, NULL, NULL); }
