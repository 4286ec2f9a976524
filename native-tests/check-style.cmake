# Formatting and lint, as tests. Included by CMakeLists.txt it registers them; each of them runs this
# file as a script:
#
#   cmake -D MODE=format -D ROOT=<project>                   -D TOOL=<clang-format> -P check-style.cmake
#   cmake -D MODE=tidy   -D ROOT=<project> -D BUILD=<folder> -D TOOL=<clang-tidy>   -P check-style.cmake
#
# Both tools change their minds from version to version, so one version decides; where there is
# none, or another, the test is reported as skipped.
set(style_version 14)
set(style_folders src native-tests bench examples tools web/playground/native web/wasm)

if(FOLDERS)
  set(style_folders ${FOLDERS}) # these only
endif()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  find_program(BURROW_CLANG_FORMAT NAMES clang-format-${style_version} clang-format)
  find_program(BURROW_CLANG_TIDY NAMES clang-tidy-${style_version} clang-tidy)
  mark_as_advanced(BURROW_CLANG_FORMAT BURROW_CLANG_TIDY)
  # 15 s on two idle cores: once, in the development build, is enough.
  if(CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT BURROW_SANITIZE)
    # A debug build of the allocator looks at what no other build compiles.
    set(only "")
    if(BURROW_ALLOC_DEBUG)
      set(only -D FOLDERS=src/alloc/debug)
    endif()
    add_test(NAME style_clang_format COMMAND ${CMAKE_COMMAND} -D MODE=format
             -D ROOT=${PROJECT_SOURCE_DIR} -D TOOL=${BURROW_CLANG_FORMAT} ${only}
             -P ${CMAKE_CURRENT_LIST_FILE})
    set_tests_properties(style_clang_format PROPERTIES SKIP_REGULAR_EXPRESSION "SKIPPED: ")
    add_test(NAME style_clang_tidy COMMAND ${CMAKE_COMMAND} -D MODE=tidy -D ROOT=${PROJECT_SOURCE_DIR}
             -D BUILD=${PROJECT_BINARY_DIR} -D TOOL=${BURROW_CLANG_TIDY} ${only} -P ${CMAKE_CURRENT_LIST_FILE})
    set_tests_properties(style_clang_tidy PROPERTIES
                         SKIP_REGULAR_EXPRESSION "SKIPPED: " PROCESSORS 2 TIMEOUT 300)
  endif()
  return()
endif()

if(NOT TOOL)
  message("SKIPPED: the program is not installed")
  return()
endif()
execute_process(COMMAND ${TOOL} --version OUTPUT_VARIABLE version)
if(NOT version MATCHES "version ${style_version}\\.")
  string(STRIP "${version}" version)
  message("SKIPPED: version ${style_version} decides, this is: ${version}")
  return()
endif()

# The files, one a line, each in quotes for xargs.
set(list "")
if(MODE STREQUAL "format")
  foreach(folder IN LISTS style_folders)
    file(GLOB_RECURSE found ${ROOT}/${folder}/*.c ${ROOT}/${folder}/*.h)
    foreach(path IN LISTS found)
      string(APPEND list "\"${path}\"\n")
    endforeach()
  endforeach()
  set(command ${TOOL} --dry-run -Werror)
  set(name "${CMAKE_CURRENT_BINARY_DIR}/style-format.txt")
elseif(MODE STREQUAL "tidy")
  file(READ ${BUILD}/compile_commands.json commands)
  string(JSON count LENGTH "${commands}")
  math(EXPR last "${count} - 1")
  list(JOIN style_folders "|" folders)
  # A source of several targets is looked at once, as the first of them compiles it.
  set(seen "")
  set(entries "")
  foreach(i RANGE ${last})
    string(JSON path GET "${commands}" ${i} file)
    list(FIND seen "${path}" known)
    if(path MATCHES "/(${folders})/.*\\.c$" AND known EQUAL -1)
      list(APPEND seen "${path}")
      string(APPEND list "\"${path}\"\n")
      string(JSON entry GET "${commands}" ${i})
      string(APPEND entries "${comma}${entry}")
      set(comma ",\n")
    endif()
  endforeach()
  file(WRITE ${BUILD}/style-tidy/compile_commands.json "[${entries}]\n")
  set(command ${TOOL} -p ${BUILD}/style-tidy --quiet)
  set(name "${BUILD}/style-tidy.txt")
else()
  message(FATAL_ERROR "MODE is format or tidy")
endif()
if(list STREQUAL "")
  message(FATAL_ERROR "no files found: nothing was checked")
endif()

# Two at a time, a few files each.
file(WRITE ${name} "${list}")
execute_process(COMMAND xargs -P 2 -n 4 ${command} INPUT_FILE ${name}
                RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE complaints)
if(NOT status EQUAL 0)
  string(REGEX REPLACE "[0-9]+ warnings? [^\n]*\n" "" complaints "${complaints}")
  message(FATAL_ERROR "${MODE}: status ${status}\n${said}\n${complaints}")
endif()
