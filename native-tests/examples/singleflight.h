// What the example of burrow/singleflight.h is about.
typedef struct page {
  int bytes;
} page;

static int request = 4096, shown;
static const char *name = "index.html";

static page read_page(const int *bytes) { return (page){*bytes}; }
static void show(const page *p) { shown = p->bytes; }
static void example_1_after(void) { CHECK_EQ(shown, request); }
