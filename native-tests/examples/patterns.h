// What the examples of burrow/patterns.h are about.

// A group of two.
static int served, watched;
static int *const listener = &served, *const config = &watched;

static int serve(void *arg) {
  CHECK(arg == listener);
  return *(int *)arg = 1, 0;
}

static int watch(void *arg) {
  CHECK(arg == config);
  return *(int *)arg = 1, 0;
}

static void example_2_after(void) { CHECK_EQ(served + watched, 2); }

// A group with a context.
static bw_context *parent;
static int ended;

static int look_around(void *arg) {
  ended = bw_sleep_ctx(arg, 3600 * BW_SECOND);
  return 0;
}

static void example_3_before(void) { parent = bw_context_background(); }
static void example_3_after(void) { CHECK_EQ(ended, BW_ECANCELED); }

// A group that has not ended when the context has, since one of it waits for its stop.
static bw_context *request, *crew_context;
static bw_cancel *hurry;
static bw_group *crew;

static int wait_for_stop(void *context) { return bw_sleep_ctx(context, 3600 * BW_SECOND); }

static void example_4_before(void) {
  request = bw_with_timeout(bw_context_background(), BW_MILLISECOND, &hurry);
  crew = bw_group_make_ctx(bw_context_background(), &crew_context);
  CHECK_EQ(bw_group_go(crew, wait_for_stop, crew_context), 0);
}

static void example_4_after(void) {
  bw_cancel_now(hurry);
  bw_context_release(request);
}

// A pipeline: the sizes of three names.
static bw_chan *names, *sizes;
static size_t total;

static int read_names(void *group) {
  static const char *const all[] = {"a", "bc", "def"};
  for (int i = 0; i < 3; i++) CHECK(bw_group_send(group, names, &all[i]));
  bw_chan_close(names);
  return 0;
}

static int look_up(void *arg, const void *in, void *to) {
  (void)arg;
  *(size_t *)to = strlen(*(const char *const *)in);
  return 0;
}

static void example_6_before(void) {
  names = bw_chan_make(sizeof(const char *), 0);
  sizes = bw_chan_make(sizeof(size_t), 0);
}

static void example_6_after(void) {
  CHECK_EQ(total, 6);
  bw_chan_release(names);
  bw_chan_release(sizes);
}

// A reservation that nobody calls off.
static bw_chan *quit;
static int answers;

static void answer(void) { answers++; }
static void example_7_before(void) { quit = bw_chan_make(0, 0); }

static void example_7_after(void) {
  CHECK_EQ(answers, 1);
  bw_chan_release(quit);
}
