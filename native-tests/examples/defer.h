// What the first example of burrow/defer.h does where there are files.
static int count_lines(const char *path);

static void example_1_after(void) {
  const char *path = "defer_example.txt";
  FILE *f = fopen(path, "w");
  if (!f) return;
  CHECK(fputs("one\ntwo\nthree\n", f) >= 0);
  CHECK_EQ(fclose(f), 0);
  CHECK_EQ(count_lines(path), 3);
  CHECK_EQ(remove(path), 0);
}
