# What burrow-sizeclasses prints: the head, as many lines as there are classes, and some of them word
# for word. For go66 these are the lines that the document quotes which the project began with.
#
#   cmake -D PROGRAM=<burrow-sizeclasses> -D TABLE=<name> -D BUILT=<the library's> -P this file
set(go67_lines 67
  "    1          8        8192     1024           0     87.50%"
  "    3         24        8192      341           8     29.24%"
  "    4         32        8192      256           0     21.88%"
  "   67      32768       32768        1           0     12.50%")
set(go66_lines 66
  "    1          8        8192     1024           0     87.50%"
  "    2         16        8192      512           0     43.75%"
  "    3         32        8192      256           0     46.88%"
  "    4         48        8192      170          32     31.52%"
  "    5         64        8192      128           0     23.44%"
  "   65      28672       57344        2           0      4.91%"
  "   66      32768       32768        1           0     12.50%")
set(tcmalloc85_lines 85
  "    1          8        8192     1024           0     87.50%"
  "    3         32        8192      256           0     46.88%"
  "   85     262144      262144        1           0      3.12%")

function(run out)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_VARIABLE said RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ${ARGN}: status ${status}")
  endif()
  set(${out} "${said}" PARENT_SCOPE)
endfunction()

run(said ${TABLE})
set(head "class  bytes/obj  bytes/span  objects  tail waste  max waste\n")
string(FIND "${said}" "${head}" at)
if(NOT at EQUAL 0)
  message(FATAL_ERROR "the head is not \"${head}\":\n${said}")
endif()
list(POP_FRONT ${TABLE}_lines count)
math(EXPR count "${count} + 1")
string(REGEX MATCHALL "\n" ends "${said}")
list(LENGTH ends lines)
if(NOT lines EQUAL count)
  message(FATAL_ERROR "${lines} lines, wanted ${count}:\n${said}")
endif()
foreach(line IN LISTS ${TABLE}_lines)
  string(FIND "${said}" "\n${line}\n" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "not there: \"${line}\"\n${said}")
  endif()
endforeach()

# Without an argument it is the library's own table.
if(TABLE STREQUAL BUILT)
  run(default)
  if(NOT default STREQUAL said)
    message(FATAL_ERROR "without an argument it prints another table:\n${default}")
  endif()
endif()
