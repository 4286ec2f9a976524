// What the example of burrow/trace.h is about; the file goes, and its content is looked at without
// it.
static char trace_text[200];
static size_t trace_bytes;

static void worker(void *arg) { bw_chan_send(arg, NULL); }

static void work(void) {
  bw_chan *done = bw_chan_make(0, 0);
  CHECK_EQ(bw_go(worker, done), 0);
  CHECK(bw_chan_recv(done, NULL));
  bw_chan_release(done);
}

static void keep_start(void *arg, const char *data, size_t n) {
  (void)arg;
  for (size_t i = 0; i < n && trace_bytes + i + 1 < sizeof trace_text; i++)
    trace_text[trace_bytes + i] = data[i];
  trace_bytes += n;
}

static void example_1_after(void) {
  CHECK_EQ(bw_trace_write(keep_start, NULL), 0);
  CHECK(trace_bytes >= sizeof trace_text && trace_text[0] == '{');
  bw_trace_free();
  if (bw_trace_write_file("out.json") != BW_ENOTSUP) remove("out.json");
}
