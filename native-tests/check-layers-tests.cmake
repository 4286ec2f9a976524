# The tests of check-layers.cmake, and its run over the real sources. Included by CMakeLists.txt it
# registers them; each of the others runs this file as a script that lays out a small tree in the
# build folder, with one fault, and wants the fault named by file and line:
#
#   cmake -D CASE=<name> -D DIR=<scratch folder> -P check-layers-tests.cmake

# name | file | line that gets the fault (the third of the file) | what must be said; "" = no fault
set(check_layers_cases
  "clean|sched/b.c|#include \"alloc/a.h\"|"
  "comment|sched/b.c|int x, y // __linux__ and #include \"comm/c.h\"|"
  "own_layer|sched/b.c|#include \"sched/b.h\"|"
  "public|base/a.h|#include <burrow/go.h>|"
  "macro_in_port|port/posix/b.c|#ifdef __linux__|"
  "macro_in_config|base/config.h|#ifdef __wasm__|"
  "processor_in_base|base/a.h|#if defined(__x86_64__)|"
  "upward|sched/b.c|#include \"comm/c.h\"|src/sched/b.c:3: upward include: sched includes comm/c.h"
  "upward_spaced|base/a.h|  #  include <lib/c.h>|src/base/a.h:3: upward include: base includes lib/c.h"
  "port_takes_lock|port/posix/b.c|#include \"lock/mutex.h\"|src/port/posix/b.c:3: upward include: port includes lock/mutex.h"
  "platform_macro|comm/b.c|#if defined(__EMSCRIPTEN__) && 1|src/comm/b.c:3: platform macro __EMSCRIPTEN__"
  "platform_macro_in_base|base/list.h|#ifdef __linux__|src/base/list.h:3: platform macro __linux__"
  "platform_macro_in_code|alloc/b.c|int on_wasi = __wasi__ + 1|src/alloc/b.c:3: platform macro __wasi__"
  "platform_macro_public|include/burrow/x.h|#ifdef _WIN32|src/include/burrow/x.h:3: platform macro _WIN32"
  "processor_macro|sched/b.c|#ifdef __aarch64__|src/sched/b.c:3: processor macro __aarch64__"
  "public_not_public|include/burrow/x.h|#include \"base/config.h\"|src/include/burrow/x.h:3: a public header includes base/config.h"
  "unknown_layer|misc/b.c|int x|src/misc/b.c:1: misc/ is no layer"
  "too_long|lib/b.c|LONG|src/lib/b.c:604: 604 lines")

if(NOT CMAKE_SCRIPT_MODE_FILE)
  add_test(NAME check_layers COMMAND ${CMAKE_COMMAND} -D ROOT=${PROJECT_SOURCE_DIR}
           -P ${CMAKE_CURRENT_LIST_DIR}/check-layers.cmake)
  foreach(row IN LISTS check_layers_cases)
    string(REGEX MATCH "^[a-z_]+" name "${row}")
    add_test(NAME check_layers_${name} COMMAND ${CMAKE_COMMAND} -D CASE=${name}
             -D DIR=${CMAKE_CURRENT_BINARY_DIR}/check-layers/${name} -P ${CMAKE_CURRENT_LIST_FILE})
  endforeach()
  add_test(NAME check_layers_nothing_to_check COMMAND ${CMAKE_COMMAND}
           -D ROOT=${CMAKE_CURRENT_BINARY_DIR} -P ${CMAKE_CURRENT_LIST_DIR}/check-layers.cmake)
  set_tests_properties(check_layers_nothing_to_check PROPERTIES WILL_FAIL TRUE)
  return()
endif()

foreach(row IN LISTS check_layers_cases)
  if(row MATCHES "^${CASE}\\|([^|]+)\\|(.*)\\|([^|]*)$")
    set(file "${CMAKE_MATCH_1}")
    set(line "${CMAKE_MATCH_2}")
    set(want "${CMAKE_MATCH_3}")
    break()
  endif()
endforeach()
if(NOT file)
  message(FATAL_ERROR "no such case: ${CASE}")
endif()
if(line STREQUAL "LONG")
  string(REPEAT "int x[3]; // a line\n" 600 line)
endif()

# A line with every character that CMake's lists trip over comes first: it must not shift the count.
file(REMOVE_RECURSE "${DIR}")
file(WRITE "${DIR}/src/alloc/a.h" "#include \"base/config.h\"\n#include <burrow/alloc.h>\n")
file(WRITE "${DIR}/src/${file}" "char a[] = \"[;]\\\\\"; int b[2];\n\n${line}\n#include <stdio.h>\n")

execute_process(COMMAND ${CMAKE_COMMAND} -D ROOT=${DIR} -P ${CMAKE_CURRENT_LIST_DIR}/check-layers.cmake
                RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
string(FIND "${said}" "${want}" at)
string(FIND "${said}" " 1 violation(s)" one)
if(want STREQUAL "" AND NOT status EQUAL 0)
  message(FATAL_ERROR "a clean tree is refused:\n${said}")
elseif(NOT want STREQUAL "" AND (status EQUAL 0 OR at EQUAL -1 OR one EQUAL -1))
  message(FATAL_ERROR "status ${status}, wanted a failure with just \"${want}\":\n${said}")
endif()
