#include <burrow/error.h>

const char *bw_strerror(int code) {
  switch (code) {
#define BW_ERROR_CASE(name, value, text)                                                           \
  case value: return text;
    BW_ERRORS(BW_ERROR_CASE)
#undef BW_ERROR_CASE
  default: return bw_errno(code) ? "system error" : "unknown error";
  }
}
