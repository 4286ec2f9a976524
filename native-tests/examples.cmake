# The examples of public headers, as tests: what stands in a header's comments four blanks further
# in is taken out, compiled and run, so that a header cannot show what does not work. For each header
# below header_examples/NAME.c is written in the build folder; it is part of burrow-tests.
#
# A block is the body of a function, and a test NAME_example_1, _2, ...; after a line that ends in
# "At file scope:" it stands before all functions. What it prints to stdout must be what its comments
# `// prints TEXT` say, one behind the other (line ends and blanks do not count).
# A block that begins with `- ` is a list and no code.
set(headers slice_of array string layout context)

# CMake's lists are upset by brackets, backslashes and semicolons, so these are other characters
# while a text is looked at line by line.
foreach(i RANGE 1 4)
  string(ASCII ${i} odd_${i})
endforeach()
function(hide var)
  string(REPLACE "[" "${odd_1}" text "${${var}}")
  string(REPLACE "]" "${odd_2}" text "${text}")
  string(REPLACE "\\" "${odd_3}" text "${text}")
  string(REPLACE ";" "${odd_4}" text "${text}")
  set(${var} "${text}" PARENT_SCOPE)
endfunction()
function(show var)
  string(REPLACE "${odd_1}" "[" text "${${var}}")
  string(REPLACE "${odd_2}" "]" text "${text}")
  string(REPLACE "${odd_3}" "\\" text "${text}")
  string(REPLACE "${odd_4}" ";" text "${text}")
  set(${var} "${text}" PARENT_SCOPE)
endfunction()

# Ends the block that is being read, if any.
macro(end_block)
  if(NOT block STREQUAL "")
    if(NOT block MATCHES "^ *- ")
      if(at_file_scope)
        string(APPEND scope "${block}\n")
      else()
        math(EXPR number "${number} + 1")
        string(APPEND tests "static void example_${number}(void) {\n${block}}\n"
               "TEST(${header}_example_${number}) { check_example(example_${number}, \"${said}\")${odd_4} }\n\n")
      endif()
    endif()
    set(block "")
    set(said "")
    set(at_file_scope FALSE)
  endif()
endmacro()

set(BURROW_EXAMPLE_SOURCES "")
foreach(header IN LISTS headers)
  set(path ${PROJECT_SOURCE_DIR}/src/include/burrow/${header}.h)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(READ ${path} text)
  hide(text)
  string(REPLACE "\n" ";" lines "${text}")
  set(block "")
  set(said "")
  set(scope "")
  set(tests "")
  set(number 0)
  set(at_file_scope FALSE)
  foreach(line IN LISTS lines)
    if(line MATCHES "^///     (.*)$")
      set(code "${CMAKE_MATCH_1}")
      if(code MATCHES "// prints (.*)$")
        string(STRIP "${CMAKE_MATCH_1}" words)
        string(APPEND said "${words} ")
      endif()
      string(APPEND block "  ${code}\n")
    else()
      end_block()
      if(line MATCHES "At file scope:$")
        set(at_file_scope TRUE)
      endif()
    endif()
  endforeach()
  end_block()
  if(number EQUAL 0)
    message(FATAL_ERROR "${path} has no example")
  endif()
  show(scope)
  show(tests)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/header_examples/${header}.c)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"// Made by native-tests/examples.cmake from burrow/${header}.h.
#include \"example_util.h\"

${scope}
${tests}")
  list(APPEND BURROW_EXAMPLE_SOURCES ${out})
endforeach()
