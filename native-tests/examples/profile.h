// What the example of burrow/profile.h is about.
static void *worked[64];

static void work(void) {
  for (int i = 0; i < 64; i++) CHECK((worked[i] = bw_malloc(20000)) != NULL);
}

static void example_1_after(void) {
  char text[64];
  CHECK(bw_profile_heap_text(text, sizeof text) > 0);
  CHECK(strncmp(text, "heap profile: ", 14) == 0);
  bw_profile_heap_stop();
  for (int i = 0; i < 64; i++) bw_free(worked[i]);
  if (bw_profile_heap_write("heap.prof") == 0) CHECK_EQ(remove("heap.prof"), 0);
}
