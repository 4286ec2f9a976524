# The table docs/behaviours.md, as a test. Each behaviour of the ranges below has a row
#
#   | 48 | what | `sched_b48_*` `another_test` | words |
#
# and the row names tests that exist, or says in the last column why there is none. A `*` stands for
# any ending, and must find at least one. A test whose name has _bNN_ is named by row NN. Included by
# CMakeLists.txt it registers itself; as a script:
#
#   cmake -D ROOT=<project> [-D TABLE=<file>] -P check-behaviours.cmake
set(ranges 1-47 48-142 143-166)

if(NOT CMAKE_SCRIPT_MODE_FILE)
  add_test(NAME check_behaviours COMMAND ${CMAKE_COMMAND} -D ROOT=${PROJECT_SOURCE_DIR}
           -P ${CMAKE_CURRENT_LIST_FILE})
  # Tables with one fault each: what must be said of it.
  set(row "| 48 | x | `sched_b48_*` | |")
  foreach(case "no_row~~behaviour 49 has no row"
               "no_such_test~| 49 | x | `sched_b49_nowhere` | |~behaviour 49: no test sched_b49_nowhere"
               "no_reason~| 49 | x | | |~behaviour 49: neither a test nor a reason"
               "not_named~| 49 | x | `sched_b48_yield_progress` | |~behaviour 49: does not name sched_b49_parallelism"
               "twice~${row}~behaviour 48 has two rows"
               "in_no_range~| 999 | x | `sched_b48_*` | |~behaviour 999 is in no range"
               "first_range~~behaviour 1 has no row")
    string(REGEX MATCH "^([^~]*)~([^~]*)~([^~]*)$" all "${case}")
    set(name ${CMAKE_MATCH_1})
    set(want ${CMAKE_MATCH_3})
    set(table ${CMAKE_CURRENT_BINARY_DIR}/check-behaviours/${name}.md)
    file(WRITE ${table} "${row}\n${CMAKE_MATCH_2}\n")
    add_test(NAME check_behaviours_${name} COMMAND ${CMAKE_COMMAND} -D ROOT=${PROJECT_SOURCE_DIR}
             -D TABLE=${table} -P ${CMAKE_CURRENT_LIST_FILE})
    set_tests_properties(check_behaviours_${name} PROPERTIES PASS_REGULAR_EXPRESSION "${want}")
  endforeach()
  return()
endif()

cmake_minimum_required(VERSION 3.25)
if(NOT TABLE)
  set(TABLE ${ROOT}/docs/behaviours.md)
endif()

# The names of all tests, from the sources: which of them a build has differs from target to target.
set(tests "")
file(GLOB sources ${ROOT}/native-tests/*.c)
foreach(source IN LISTS sources)
  file(READ ${source} text)
  string(REGEX MATCHALL "TEST\\([ \n]*[a-z][a-z0-9_]+" found "${text}")
  list(TRANSFORM found REPLACE "TEST\\([ \n]*" "")
  list(APPEND tests ${found})
endforeach()
if(NOT tests)
  message(FATAL_ERROR "no tests found in ${ROOT}/native-tests")
endif()

file(STRINGS ${TABLE} lines REGEX "^\\| [0-9]+ \\|")
set(faults "")
set(numbers "")
foreach(range IN LISTS ranges)
  string(REPLACE "-" ";" range "${range}")
  list(GET range 0 first)
  list(GET range 1 last)
  foreach(n RANGE ${first} ${last})
    list(APPEND numbers ${n})
  endforeach()
endforeach()
foreach(line IN LISTS lines)
  string(REGEX MATCH "[0-9]+" n "${line}")
  if(NOT n IN_LIST numbers)
    string(APPEND faults "behaviour ${n} is in no range\n")
  endif()
endforeach()

foreach(n IN LISTS numbers)
  set(row "")
  foreach(line IN LISTS lines)
    if(line MATCHES "^\\| ${n} \\|")
      if(row)
        string(APPEND faults "behaviour ${n} has two rows\n")
      endif()
      set(row "${line}")
    endif()
  endforeach()
  if(row STREQUAL "")
    string(APPEND faults "behaviour ${n} has no row\n")
    continue()
  endif()
  if(NOT row MATCHES "^\\| ${n} \\|[^|]+\\|([^|]*)\\|([^|]*)\\|$")
    string(APPEND faults "behaviour ${n}: a row has four columns\n")
    continue()
  endif()
  set(why "${CMAKE_MATCH_2}")
  string(REGEX MATCHALL "`[a-z0-9_*]+`" patterns "${CMAKE_MATCH_1}")
  if(NOT patterns AND NOT why MATCHES "[a-z]+ [a-z]+ ")
    string(APPEND faults "behaviour ${n}: neither a test nor a reason\n")
  endif()
  set(named "")
  foreach(pattern IN LISTS patterns)
    string(REPLACE "`" "" pattern "${pattern}")
    string(REPLACE "*" "[a-z0-9_]*" expression "${pattern}")
    set(found ${tests})
    list(FILTER found INCLUDE REGEX "^${expression}$")
    if(NOT found)
      string(APPEND faults "behaviour ${n}: no test ${pattern}\n")
    endif()
    list(APPEND named ${found})
  endforeach()
  foreach(test IN LISTS tests)
    if(test MATCHES "_b${n}_" AND NOT test IN_LIST named)
      string(APPEND faults "behaviour ${n}: does not name ${test}\n")
    endif()
  endforeach()
endforeach()
if(faults)
  message(FATAL_ERROR "${TABLE}:\n${faults}")
endif()
