# What must not compile, as tests. A file in compile/ compiles as it is, and has cases:
#
#   #ifdef CASE_NAME // no: WORDS          with -D CASE_NAME the compiler refuses it, and says WORDS
#   #ifdef CASE_NAME // yes                with -D CASE_NAME it takes it, without a warning
#
# WORDS is a regular expression. The compiler runs with its default warnings where it is to refuse,
# so that what only warns is no failure. As it is, the file compiles as ISO C, too, and with
# optimisation. gcc and clang differ in what they refuse and how: the compiler in use has to pass,
# and the other one as well where it is installed. Included by CMakeLists.txt it registers a test a
# file and compiler; as a script:
#
#   cmake -D CC=<compiler> -D ROOT=<project> -D FILE=<file> -P check-compile.cmake
if(NOT CMAKE_SCRIPT_MODE_FILE)
  find_program(BURROW_GCC NAMES gcc)
  find_program(BURROW_CLANG NAMES clang)
  mark_as_advanced(BURROW_GCC BURROW_CLANG)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/compile/*.c)
  foreach(file IN LISTS files)
    get_filename_component(stem ${file} NAME_WE)
    set(check ${CMAKE_COMMAND} -D ROOT=${PROJECT_SOURCE_DIR} -D FILE=${file})
    set(script -P ${CMAKE_CURRENT_LIST_FILE})
    add_test(NAME compile_${stem} COMMAND ${check} -D CC=${CMAKE_C_COMPILER} ${script})
    if(BURROW_CLANG AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
      add_test(NAME compile_${stem}_clang COMMAND ${check} -D CC=${BURROW_CLANG} ${script})
    elseif(BURROW_GCC AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
      add_test(NAME compile_${stem}_gcc COMMAND ${check} -D CC=${BURROW_GCC} ${script})
    endif()
  endforeach()
  # The headers in C++.
  find_program(BURROW_GXX NAMES g++)
  find_program(BURROW_CLANGXX NAMES clang++)
  mark_as_advanced(BURROW_GXX BURROW_CLANGXX)
  foreach(compiler IN LISTS BURROW_GXX BURROW_CLANGXX)
    if(compiler)
      get_filename_component(stem ${compiler} NAME)
      add_test(NAME compile_cxx_${stem}
               COMMAND ${compiler} -std=c++11 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Werror
                       -I ${PROJECT_SOURCE_DIR}/src/include ${CMAKE_CURRENT_LIST_DIR}/compile/cxx.cc)
    endif()
  endforeach()
  # The check itself: faults that it must find.
  set(scratch ${CMAKE_CURRENT_BINARY_DIR}/check-compile)
  foreach(case "compiles~no: x~int y~compiles, but must not"
               "only_warns~no: x~int f(int *p) { return p }~compiles, but must not"
               "other_words~no: y~int f(void) { return z }~is refused without"
               "broken~yes~int f(void) { return z }~does not compile"
               "warns~yes~int f(int v) { }~does not compile"
               "no_verdict~maybe~int y~wants .// yes. or")
    string(REGEX MATCH "^([^~]*)~([^~]*)~([^~]*)~([^~]*)$" all "${case}")
    set(name ${CMAKE_MATCH_1})
    set(said "${CMAKE_MATCH_4}")
    string(REPLACE " }" "; }" body "${CMAKE_MATCH_3}")
    file(WRITE ${scratch}/${name}.c "int x;\n#ifdef CASE_a // ${CMAKE_MATCH_2}\n${body};\n#endif\n")
    add_test(NAME check_compile_${name} COMMAND ${CMAKE_COMMAND} -D ROOT=${PROJECT_SOURCE_DIR}
             -D FILE=${scratch}/${name}.c -D CC=${CMAKE_C_COMPILER} -P ${CMAKE_CURRENT_LIST_FILE})
    set_tests_properties(check_compile_${name} PROPERTIES PASS_REGULAR_EXPRESSION "${said}")
  endforeach()
  return()
endif()

cmake_minimum_required(VERSION 3.25)
set(ENV{LC_ALL} C)
set(compile ${CC} -std=gnu11 -fsyntax-only -I ${ROOT}/src/include ${FILE})
set(strict -Wall -Wextra -Wpedantic -Wshadow -Werror)
set(faults "")

execute_process(COMMAND ${compile} ${strict} RESULT_VARIABLE status ERROR_VARIABLE said)
if(NOT status EQUAL 0)
  string(APPEND faults "as it is: does not compile\n${said}\n")
endif()

# Code is made, too: some warnings come with optimisation only, others with ISO C.
foreach(more "-std=gnu11 -O2" "-std=c11 -O0" "-std=c11 -O2")
  separate_arguments(options UNIX_COMMAND "${more}")
  execute_process(COMMAND ${CC} -I ${ROOT}/src/include ${options} ${strict} -c ${FILE} -o /dev/null
                  RESULT_VARIABLE status ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    string(APPEND faults "as it is, ${more}: does not compile\n${said}\n")
  endif()
endforeach()

file(STRINGS ${FILE} cases REGEX "^#ifdef ")
if(NOT cases)
  message(FATAL_ERROR "${FILE} has no cases")
endif()
foreach(case IN LISTS cases)
  if(case MATCHES "^#ifdef CASE_([a-z0-9_]+) // yes$")
    set(name ${CMAKE_MATCH_1})
    execute_process(COMMAND ${compile} ${strict} -D CASE_${name} RESULT_VARIABLE status ERROR_VARIABLE said)
    if(NOT status EQUAL 0)
      string(APPEND faults "${name}: does not compile\n${said}\n")
    endif()
  elseif(case MATCHES "^#ifdef CASE_([a-z0-9_]+) // no: (.+)$")
    set(name ${CMAKE_MATCH_1})
    set(words "${CMAKE_MATCH_2}")
    execute_process(COMMAND ${compile} -D CASE_${name} RESULT_VARIABLE status ERROR_VARIABLE said)
    if(status EQUAL 0)
      string(APPEND faults "${name}: compiles, but must not\n${said}\n")
    elseif(NOT said MATCHES "error: [^\n]*(${words})")
      string(APPEND faults "${name}: is refused without \"${words}\"\n${said}\n")
    endif()
  else()
    string(APPEND faults "${case}: wants `// yes` or `// no: WORDS`\n")
  endif()
endforeach()
if(faults)
  message(FATAL_ERROR "${FILE}:\n${faults}")
endif()
