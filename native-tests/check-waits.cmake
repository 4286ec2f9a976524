# The table docs/waits.md, as a test: whatever a public header says may park has a form that takes a
# context, or a reason why not.
#
#   W1  a function whose comment says "may park", and one that has a form _until, has a row
#       | `bw_x` | `bw_x_until` or nothing | `bw_x_ctx` or nothing | words |
#   W2  without a form _ctx the last column has words
#   W3  a row names functions that are declared, each in the column where it belongs; one row each
#   W4  a form that is declared is in the row
#
# A comment belongs to the declarations below it, up to an empty line or the next comment. Included
# by CMakeLists.txt it registers itself; as a script:
#
#   cmake -D ROOT=<project> [-D TABLE=<file>] [-D HEADERS=<folder>] -P check-waits.cmake
if(NOT CMAKE_SCRIPT_MODE_FILE)
  add_test(NAME check_waits COMMAND ${CMAKE_COMMAND} -D ROOT=${PROJECT_SOURCE_DIR}
           -P ${CMAKE_CURRENT_LIST_FILE})
  # Small headers and tables with one fault each, or none: what must be said of it.
  set(header [[
/// Waits for a; and
/// may
/// park.
int bw_a_get(bw_a *a[2], int n);
int bw_a_get_until(bw_a *a,
                   int64_t deadline);

/// Does not park.
int bw_a_get_ctx(bw_a *a);
static inline void bw_b(void) { bw_c(); } ///< May park

/// Never parks.
void bw_c(void);
]])
  set(a "| `bw_a_get` | `bw_a_get_until` | `bw_a_get_ctx` | |")
  set(b "| `bw_b` | | | it has a reason |")
  foreach(case "clean~${a}~${b}~2 functions may park"
               "no_row~${a}~~bw_b may park and has no row"
               "no_row_over_lines~~${b}~bw_a_get may park and has no row"
               "no_reason~${a}~| `bw_b` | | | |~bw_b: neither a form with a context nor a reason"
               "no_until~| `bw_a_get` | | `bw_a_get_ctx` | |~${b}~bw_a_get: bw_a_get_until is missing"
               "no_ctx~| `bw_a_get` | `bw_a_get_until` | | it has a reason |~${b}~bw_a_get: bw_a_get_ctx is missing"
               "no_such~${a}~${b}\n| `bw_d` | | | it has a reason |~bw_d: not declared"
               "no_such_form~${a}~| `bw_b` | | `bw_b_ctx` | |~bw_b: bw_b_ctx is not declared"
               "wrong_form~${a}~| `bw_b` | | `bw_c` | |~bw_b: bw_c is no form of it"
               "twice~${a}\n${a}~${b}~bw_a_get has two rows")
    string(REGEX MATCH "^([^~]*)~([^~]*)~([^~]*)~([^~]*)$" all "${case}")
    set(name ${CMAKE_MATCH_1})
    set(want ${CMAKE_MATCH_4})
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/check-waits/${name})
    file(WRITE ${folder}/table.md "${CMAKE_MATCH_2}\n${CMAKE_MATCH_3}\n")
    file(WRITE ${folder}/a.h "${header}")
    add_test(NAME check_waits_${name} COMMAND ${CMAKE_COMMAND} -D ROOT=${PROJECT_SOURCE_DIR}
             -D HEADERS=${folder} -D TABLE=${folder}/table.md -P ${CMAKE_CURRENT_LIST_FILE})
    set_tests_properties(check_waits_${name} PROPERTIES PASS_REGULAR_EXPRESSION "${want}")
  endforeach()
  return()
endif()

cmake_minimum_required(VERSION 3.25)
if(NOT TABLE)
  set(TABLE ${ROOT}/docs/waits.md)
endif()
if(NOT HEADERS)
  set(HEADERS ${ROOT}/src/include/burrow)
endif()

# ---- what the headers say ------------------------------------------------------------------------

set(declared "")
set(parks "")
file(GLOB files ${HEADERS}/*.h)
foreach(file IN LISTS files)
  file(READ ${file} text)
  string(REGEX REPLACE "[][;\\]" " " text "${text}") # what CMake's lists trip over
  string(REPLACE "\n" ";" lines "${text}")
  set(comment "")
  set(after_comment TRUE)
  foreach(line IN LISTS lines)
    if(line MATCHES "^//")
      if(NOT after_comment)
        set(comment "")
      endif()
      string(REGEX REPLACE "^//+" "" line "${line}")
      string(APPEND comment "${line}")
      set(after_comment TRUE)
      continue()
    endif()
    set(after_comment FALSE)
    if(line STREQUAL "")
      set(comment "")
    elseif(NOT line MATCHES "^typedef" AND line MATCHES "^[A-Za-z_][^(]*[ *](bw_[a-z][a-z0-9_]*)\\(")
      set(function ${CMAKE_MATCH_1})
      if(function MATCHES "^bw__")
        continue()
      endif()
      list(APPEND declared ${function})
      string(REGEX MATCH "///<.*" beside "${line}")
      string(TOLOWER "${comment} ${beside}" words)
      string(REGEX REPLACE " +" " " words "${words}")
      if(words MATCHES "may park" AND NOT function MATCHES "_(until|ctx)$")
        list(APPEND parks ${function})
      endif()
    endif()
  endforeach()
endforeach()
foreach(function IN LISTS declared)
  if(function MATCHES "^(.*)_until$")
    list(APPEND parks ${CMAKE_MATCH_1})
  endif()
endforeach()
list(REMOVE_DUPLICATES declared)
list(REMOVE_DUPLICATES parks)
if(NOT parks)
  message(FATAL_ERROR "no function that may park found in ${HEADERS}")
endif()

# ---- what the table says -------------------------------------------------------------------------

set(faults "")
set(rows "")
file(STRINGS ${TABLE} lines REGEX "^\\| `bw_")
foreach(line IN LISTS lines)
  if(NOT line MATCHES "^\\| `(bw_[a-z0-9_]+)` \\| ?([^| ]*) ?\\| ?([^| ]*) ?\\|([^|]*)\\|$")
    string(APPEND faults "no row of four columns: ${line}\n")
    continue()
  endif()
  set(function ${CMAKE_MATCH_1})
  set(until "${CMAKE_MATCH_2}")
  set(ctx "${CMAKE_MATCH_3}")
  set(why "${CMAKE_MATCH_4}")
  if(function IN_LIST rows)
    string(APPEND faults "${function} has two rows\n")
  endif()
  list(APPEND rows ${function})
  if(NOT function IN_LIST declared)
    string(APPEND faults "${function}: not declared\n")
  endif()
  foreach(form until ctx)
    string(REPLACE "`" "" named "${${form}}")
    set(proper "^${function}_${form}$")
    if(form STREQUAL "until")
      set(proper "^${function}(_until)?$") # some take a deadline themselves
    endif()
    if(named STREQUAL "")
      if("${function}_${form}" IN_LIST declared)
        string(APPEND faults "${function}: ${function}_${form} is missing\n")
      endif()
    elseif(NOT named MATCHES "${proper}")
      string(APPEND faults "${function}: ${named} is no form of it\n")
    elseif(NOT named IN_LIST declared)
      string(APPEND faults "${function}: ${named} is not declared\n")
    endif()
  endforeach()
  if(ctx STREQUAL "" AND NOT why MATCHES "[a-z]+ [a-z]+ ")
    string(APPEND faults "${function}: neither a form with a context nor a reason\n")
  endif()
endforeach()
foreach(function IN LISTS parks)
  if(NOT function IN_LIST rows)
    string(APPEND faults "${function} may park and has no row\n")
  endif()
endforeach()
if(faults)
  message(FATAL_ERROR "${TABLE}:\n${faults}")
endif()
list(LENGTH parks count)
message(STATUS "${count} functions may park")
