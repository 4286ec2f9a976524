# How many instructions a call costs on the fast path: the test alloc_instruction_counts compares with
# golden.txt, exactly. After a change on purpose:
#
#   cmake --build --preset release --target update-instruction-counts
#
# valgrind counts; the same compiler makes the same instructions, so another one, or another
# processor, skips the test. Included by native-tests/CMakeLists.txt; run as a script by the test.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR BURROW_SANITIZE OR
     NOT BURROW_SIZE_CLASSES STREQUAL "go67")
    return()
  endif()
  find_program(BURROW_VALGRIND NAMES valgrind)
  mark_as_advanced(BURROW_VALGRIND)
  add_executable(instruction-counts counts/count.c)
  burrow_program(instruction-counts)
  set(count_script ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:instruction-counts>
      -D VALGRIND=${BURROW_VALGRIND} -D DIR=${CMAKE_CURRENT_SOURCE_DIR}/counts
      -D "COMPILER=${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION} ${CMAKE_SYSTEM_PROCESSOR}")
  add_test(NAME alloc_instruction_counts COMMAND ${count_script} -P ${CMAKE_CURRENT_LIST_FILE})
  set_tests_properties(alloc_instruction_counts PROPERTIES SKIP_REGULAR_EXPRESSION "SKIPPED: ")
  add_custom_target(update-instruction-counts
    COMMAND ${count_script} -D UPDATE=ON -P ${CMAKE_CURRENT_LIST_FILE}
    DEPENDS instruction-counts VERBATIM)
  return()
endif()

file(STRINGS ${DIR}/golden.txt golden)
list(POP_FRONT golden compiler)
if(NOT VALGRIND)
  message("SKIPPED: valgrind is not installed")
  return()
elseif(NOT UPDATE AND NOT compiler STREQUAL COMPILER)
  message("SKIPPED: the counts are those of ${compiler}, this is ${COMPILER}")
  return()
endif()

# Instructions in `function` and below, in a run of `n` rounds of `loop`.
function(count function loop size n out)
  execute_process(
    COMMAND ${VALGRIND} --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=${function}
            ${PROGRAM} ${loop} ${size} ${n}
    RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0 OR NOT said MATCHES "Collected : ([0-9]+)")
    message(FATAL_ERROR "${PROGRAM} ${loop}: status ${status}\n${said}")
  endif()
  set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()

set(rounds 1000)
math(EXPR twice "2 * ${rounds}")
set(text "${COMPILER}\n")
set(wrong "")
foreach(line IN LISTS golden)
  if(NOT line MATCHES "^([a-z_]+) +([a-z]+) +([0-9]+) +([0-9]+)$")
    message(FATAL_ERROR "golden.txt: not \"FUNCTION LOOP SIZE INSTRUCTIONS\": ${line}")
  endif()
  set(what "${CMAKE_MATCH_1} ${CMAKE_MATCH_2} ${CMAKE_MATCH_3}")
  set(want ${CMAKE_MATCH_4})
  separate_arguments(arguments UNIX_COMMAND "${what}")
  count(${arguments} ${rounds} once)
  count(${arguments} ${twice} more)
  math(EXPR instructions "(${more} - ${once}) / ${rounds}")
  string(APPEND text "${what} ${instructions}\n")
  if(NOT instructions EQUAL want)
    string(APPEND wrong "  ${what}: ${want} -> ${instructions}\n")
  endif()
endforeach()
message("${text}")
if(UPDATE)
  file(WRITE ${DIR}/golden.txt "${text}")
elseif(wrong)
  message(FATAL_ERROR "instructions a call have changed:\n${wrong}"
          "If that is meant: cmake --build --preset release --target update-instruction-counts")
endif()
