# The examples of public headers, as tests: what stands in a header's comments four blanks further
# in is taken out, compiled and run, so that a header cannot show what does not work. For each header
# header_examples/NAME.c is written in the build folder; it is part of burrow-tests. Each header has
# an example at least.
#
# An example is the body of a function, and a test NAME_example_1, _2, ...:
#
#   /// Numbers, one after the other:
#   ///                                             (an empty line comes before)
#   ///     static void produce(void *arg) { ... }  up to its last function all is at file scope
#   ///                                             (an empty line inside is the example's)
#   ///     bw_go(produce, c);                      the rest is run, by the main goroutine of a
#   ///     printf("%d\n", next(c));  // prints 1   runtime; what calls bw_run itself, without one
#   ///     return code;                            must be 0
#
# What it prints to stdout must be what its comments `// prints TEXT` say, one behind the other (line
# ends and blanks do not count). One with `int main(void)` is a program, and main's result must be 0.
# One that is nothing but functions is no test; others of its header must use it.
#
# After a line that ends in "At file scope:" all of an example is at file scope, and no test; after
# one that ends in "Natively:" it is left out on wasm. What examples use and need not say (jobs, who
# calls) is in examples/NAME.h, where functions example_1_before and example_1_after, if there are
# any, are called around the first test.
#
# Anything else that is indented is a list or a quotation, whose first line says so: `- `, `* `,
# `1. `, and `> ` before each line of what is quoted. What is neither stops the build.
#
# As a script, for examples-tests.cmake:  cmake -D HEADER=<file> -D OUT=<file> -P examples.cmake
cmake_minimum_required(VERSION 3.25)

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

macro(fault text)
  message(FATAL_ERROR "${path}:${at}: ${text}")
endmacro()

# A line of an example, `text`, without the indent.
macro(add_code)
  if(block STREQUAL "")
    set(block "#line ${at} \"${path}\"\n")
  elseif(gap)
    string(APPEND block "\n")
  endif()
  set(gap FALSE)
  set(example TRUE)
  if(text MATCHES "// prints (.*)$")
    string(STRIP "${CMAKE_MATCH_1}" words)
    string(REPLACE "${odd_3}" "${odd_3}${odd_3}" words "${words}")
    string(REPLACE "\"" "${odd_3}\"" words "${words}")
    string(APPEND said "${words} ")
  endif()
  if(text MATCHES "^int main\\(void\\) {")
    math(EXPR this "${number} + 1")
    string(REPLACE "int main(void)" "static int example_${this}_main(void)" text "${text}")
    set(program TRUE)
  endif()
  if(text MATCHES "bw_run\\(")
    set(runtime "false")
  endif()
  string(APPEND block "${text}\n")
  # Where the last function ends.
  if(text MATCHES "^static [^=]*\\(.*\\) {( *//.*)?$")
    set(in_function TRUE)
  elseif(text MATCHES "^static [^=]*\\(.*\\) {.*}( *//.*)?$" OR (in_function AND text MATCHES "^}"))
    string(APPEND block_scope "${block}")
    set(block "")
    set(in_function FALSE)
    set(returns FALSE)
  elseif(text MATCHES "(^|[^a-z_])return [^;]")
    set(returns TRUE)
  endif()
endmacro()

# Ends the example that is being read, if any.
macro(end_example)
  if(example)
    if(in_function)
      fault("the example above ends inside a function")
    endif()
    set(left_out FALSE)
    if(natively AND NOT BURROW_PORT STREQUAL "posix")
      set(left_out TRUE)
    endif()
    if(program)
      set(block "return example_${this}_main()${odd_4}\n${block}")
      set(returns TRUE)
    endif()
    if(file_scope)
      set(block_scope "${block_scope}${block}")
      set(block "")
    endif()
    if(NOT left_out)
      string(APPEND code "${block_scope}\n")
    endif()
    if(NOT block STREQUAL "")
      math(EXPR number "${number} + 1")
      foreach(when before after)
        set(${when} "")
        if(context MATCHES "[^a-z_]example_${number}_${when}\\(void\\)")
          set(${when} "  example_${number}_${when}()${odd_4}\n")
        endif()
      endforeach()
      set(type void)
      set(call "int code = 0${odd_4}\n  example_${number}()")
      if(returns)
        set(type int)
        set(call "int code = example_${number}()")
        string(APPEND block "return 0${odd_4}\n")
      endif()
      if(NOT left_out)
        set(any TRUE)
        string(APPEND code "static ${type} example_${number}(void) {\n${block}}\n"
               "static int example_${number}_all(void *arg) {\n${before}  ${call}${odd_4}\n${after}"
               "  return (void)arg, code${odd_4}\n}\n"
               "TEST(${header}_example_${number}) { "
               "check_example(example_${number}_all, ${runtime}, \"${said}\")${odd_4} }\n\n")
      endif()
    endif()
    if(block STREQUAL "" AND NOT said STREQUAL "")
      fault("the example above prints something, but nothing of it is run")
    endif()
    set(file_scope FALSE)
    set(natively FALSE)
  endif()
  set(example FALSE)
  set(block "")
  set(block_scope "")
  set(said "")
  set(gap FALSE)
  set(in_function FALSE)
  set(program FALSE)
  set(returns FALSE)
  set(runtime "true")
endmacro()

# A line of a comment that is not empty: `blanks` and `text` behind the slashes.
macro(read_comment)
  string(LENGTH "${blanks}" indent)
  set(begins_list FALSE)
  if(text MATCHES "^([-*>]|[0-9]+\\.) ")
    set(begins_list TRUE)
  endif()
  if(indent LESS 2)
    end_example()
    set(in_list ${begins_list})
    if(text MATCHES "At file scope:$")
      set(file_scope TRUE)
    elseif(text MATCHES "Natively:$")
      set(natively TRUE)
    endif()
  elseif(example AND NOT (gap AND begins_list))
    if(indent LESS 5)
      fault("a line of an example is less indented than its first")
    endif()
    string(SUBSTRING "${blanks}${text}" 5 -1 text)
    add_code()
  elseif(begins_list)
    end_example()
    set(in_list TRUE)
  elseif(in_list)
    # The item goes on.
  elseif(slashes STREQUAL "///" AND indent EQUAL 5 AND empty)
    add_code()
  else()
    fault("neither an example (five blanks after ///, an empty line before) nor a list (- item)")
  endif()
endmacro()

# Writes the tests of the header `path` to `out`, with what is in the file `context_path`, if there
# is one.
function(burrow_header_examples path context_path out)
  get_filename_component(header ${path} NAME_WE)
  set(context "")
  if(EXISTS ${context_path})
    file(READ ${context_path} context)
  endif()
  file(READ ${path} text)
  hide(text)
  string(REPLACE "\n" ";" lines "${text}")
  set(code "")
  set(number 0)
  set(at 0)
  set(any FALSE)
  set(file_scope FALSE)
  set(natively FALSE)
  set(in_list FALSE)
  set(empty FALSE) # the line before was an empty one of a comment
  set(example FALSE)
  end_example()
  foreach(line IN LISTS lines)
    math(EXPR at "${at} + 1")
    if(line MATCHES "^(///?)( *)(.*)$")
      set(slashes "${CMAKE_MATCH_1}")
      set(blanks "${CMAKE_MATCH_2}")
      set(text "${CMAKE_MATCH_3}")
      if(text STREQUAL "")
        set(gap TRUE)
        set(in_list FALSE)
        set(empty TRUE)
      else()
        read_comment()
        set(empty FALSE)
      endif()
    else()
      if(line MATCHES "^ +///  ")
        fault("examples and lists stand in comments that begin at the margin")
      endif()
      end_example()
      if(file_scope OR natively)
        fault("an example was announced and did not come")
      endif()
      set(in_list FALSE)
      set(empty FALSE)
    endif()
  endforeach()
  end_example()
  if(number EQUAL 0)
    fault("the header has no example")
  endif()
  show(code)
  if(any AND NOT context STREQUAL "")
    set(code "#include \"${context_path}\"\n\n${code}")
  endif()
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"// Made by native-tests/examples.cmake from burrow/${header}.h.
#include \"example_util.h\"

// An example need not use all that it is given.
// NOLINTBEGIN(misc-unused-parameters)

${code}
// NOLINTEND(misc-unused-parameters)
")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  burrow_header_examples(${HEADER} "" ${OUT})
  return()
endif()

set(BURROW_EXAMPLE_SOURCES "")
file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/include/burrow/*.h)
file(GLOB contexts CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/examples/*.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers} ${contexts})
foreach(path IN LISTS headers)
  get_filename_component(header ${path} NAME_WE)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/header_examples/${header}.c)
  burrow_header_examples(${path} ${CMAKE_CURRENT_LIST_DIR}/examples/${header}.h ${out})
  list(APPEND BURROW_EXAMPLE_SOURCES ${out})
endforeach()
