# The tests of examples.cmake: it must see every fault of a header's comment, and name its line.
# Included by CMakeLists.txt it registers them; each of them runs this file as a script that writes a
# small header, and has it read:
#
#   cmake -D CASE=<name> -D DIR=<scratch folder> -P examples-tests.cmake

# name | lines of the header, with ~ between them | what must be said; "" = no fault
set(examples_cases
  "clean|/// One:~///~///     int a[1] = {0}, *b = &a[0]#~///~/// - a~///   list~///~///     - a wide~///     list~///     > quoted|"
  "functions_first|/// One:~///~///     static void f(void) {~///     }~///~///     f()#|"
  "program|/// One:~///~///     int main(void) { return 0# }|"
  "none|/// Words~int x#|the header has no example"
  "functions_only|/// One:~///~///     static void f(void) { }|the header has no example"
  "indented_by_two|/// One:~///~///   f()#|h.h:3: neither an example"
  "indented_by_four|/// One:~///~///    f()#|h.h:3: neither an example"
  "indented_by_six|/// One:~///~///      f()#|h.h:3: neither an example"
  "table|/// A table~///     NAME  what it is|h.h:2: neither an example"
  "ends_too_far_left|/// One:~///~///     f()#~///   g()#|h.h:4: a line of an example is less indented"
  "not_documentation|// One:~//~//     f()#|h.h:3: neither an example"
  "in_a_struct|struct s {~  ///     f()#~}#|h.h:2: examples and lists stand in comments that begin"
  "no_end|/// One:~///~///     static void f(void) {~///       g()#|h.h:5: the example above ends inside"
  "prints_unrun|/// One:~///~///     static void f(void) {~///       g()# // prints 1~///     }|h.h:6: the example above prints"
  "announced|/// At file scope:~int x#|h.h:2: an example was announced")

if(NOT CMAKE_SCRIPT_MODE_FILE)
  foreach(row IN LISTS examples_cases)
    string(REGEX MATCH "^[a-z_]+" name "${row}")
    add_test(NAME check_examples_${name} COMMAND ${CMAKE_COMMAND} -D CASE=${name}
             -D DIR=${CMAKE_CURRENT_BINARY_DIR}/check-examples/${name} -P ${CMAKE_CURRENT_LIST_FILE})
  endforeach()
  return()
endif()

foreach(row IN LISTS examples_cases)
  if(row MATCHES "^${CASE}\\|([^|]*)\\|([^|]*)$")
    set(text "${CMAKE_MATCH_1}")
    set(want "${CMAKE_MATCH_2}")
    break()
  endif()
endforeach()
if(NOT text)
  message(FATAL_ERROR "no such case: ${CASE}")
endif()
string(REPLACE "~" "\n" text "${text}")
string(REPLACE "#" ";" text "${text}")
file(REMOVE_RECURSE "${DIR}")
file(WRITE "${DIR}/h.h" "${text}\n#define H\n")
execute_process(COMMAND ${CMAKE_COMMAND} -D HEADER=${DIR}/h.h -D OUT=${DIR}/h.c
                        -P ${CMAKE_CURRENT_LIST_DIR}/examples.cmake
                RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
string(REGEX REPLACE "[ \n]+" " " said "${said}") # CMake breaks lines where it likes
string(FIND "${said}" "${want}" at)
if(want STREQUAL "")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "a clean header is refused:\n${said}")
  endif()
  file(READ "${DIR}/h.c" made)
  if(NOT made MATCHES "TEST\\(h_example_1\\)" OR made MATCHES "list|quoted|h_example_2")
    message(FATAL_ERROR "not just one test:\n${made}")
  endif()
elseif(status EQUAL 0 OR at EQUAL -1)
  message(FATAL_ERROR "status ${status}, wanted a failure with \"${want}\":\n${said}")
endif()
