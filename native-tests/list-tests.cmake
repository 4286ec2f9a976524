# Writes OUT: an add_test() a line that `PROGRAM --list` prints. Run by the build, not by hand.
execute_process(COMMAND ${PROGRAM} --list OUTPUT_VARIABLE lines RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} --list failed: ${status}")
endif()
string(REGEX REPLACE "\t[^\n]*" "\t" lines "${lines}") # the names only: CMake's lists know brackets
string(REPLACE "\n" ";" lines "${lines}")
set(text "")
foreach(line IN LISTS lines)
  if(line MATCHES "^([a-zA-Z0-9_]+)\t")
    set(name ${CMAKE_MATCH_1})
    string(APPEND text "add_test(${name} \"${PROGRAM}\" --run ${name})\n"
                       "set_tests_properties(${name} PROPERTIES TIMEOUT 120\n"
                       "                     SKIP_REGULAR_EXPRESSION \"SKIPPED: \")\n")
  endif()
endforeach()
file(WRITE ${OUT} "${text}")
