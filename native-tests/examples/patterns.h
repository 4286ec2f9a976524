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

static void example_5_before(void) {
  names = bw_chan_make(sizeof(const char *), 0);
  sizes = bw_chan_make(sizeof(size_t), 0);
}

static void example_5_after(void) {
  CHECK_EQ(total, 6);
  bw_chan_release(names);
  bw_chan_release(sizes);
}

// A reservation that nobody calls off.
static bw_chan *quit;
static int answers;

static void answer(void) { answers++; }
static void example_6_before(void) { quit = bw_chan_make(0, 0); }

static void example_6_after(void) {
  CHECK_EQ(answers, 1);
  bw_chan_release(quit);
}
