// What the examples of burrow/sync.h are about.
static int part[10], connections;
static struct server { int port; } server = {80};

static void work(void *arg) { ++*(int *)arg; }

static void example_2_after(void) {
  for (int i = 0; i < 10; i++) CHECK_EQ(part[i], 1);
}

static void open_connection(void *arg) { connections += ((struct server *)arg)->port; }
static void example_3_after(void) { CHECK_EQ(connections, server.port); }

static void *make_table(void *arg) {
  static int table[3];
  table[0]++;
  return (void)arg, table;
}
