// An executable needs a source file of its own; everything else comes from the library.
#include <burrow/burrow.h>

const char *bw_js_version(void);
const char *bw_js_version(void) { return BW_VERSION; }
