// What the examples of burrow/select.h are about.
static bw_chan *jobs, *quit, *in, *out;
static int worked, sent, dropped, used, v = 5;

static void work(int job) { worked += job; }
static void use(int value) { used += value; }
static void complain(void) { CHECK(false); }

// A job and nothing to quit for.
static void example_1_before(void) {
  jobs = bw_chan_make(sizeof(int), 1);
  quit = bw_chan_make(0, 0);
  bw_chan_send(jobs, &v);
}

static void example_1_after(void) {
  CHECK_EQ(worked, v);
  bw_chan_release(jobs);
  bw_chan_release(quit);
}

// Room for none, and something to receive.
static void example_2_before(void) {
  out = bw_chan_make(sizeof(int), 0);
  in = bw_chan_make(sizeof(int), 1);
  bw_chan_send(in, &v);
}

static void example_2_after(void) {
  CHECK_EQ(sent, 0);
  CHECK_EQ(dropped, 1);
  CHECK_EQ(used, v);
  bw_chan_release(in);
  bw_chan_release(out);
}
