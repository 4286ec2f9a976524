# Holds the architecture to its word. Run from anywhere, needs nothing but CMake:
#
#   cmake -D ROOT=<folder with src/> -P check-layers.cmake
#
# Four rules; every violation is printed as FILE:LINE: and the script then fails.
#   1. A file includes its own layer and those below it, never one above. Lowest first:
#      base < port < lock < alloc < sched < sync < comm < lib < entry. Public headers (<burrow/...>) may be
#      included by any layer, and themselves include public and system headers only.
#   2. Platform macros stand in port/ and base/config.h only: everything else asks a name of
#      config.h or the port's capabilities.
#   3. Macros for the processor stand in base/ and port/ only.
#   4. A .c or .h file is a room, not a hall: at most MAX_LINES lines.
# What stands in a `//` comment is not looked at.
cmake_minimum_required(VERSION 3.25)

if(NOT IS_DIRECTORY "${ROOT}/src")
  message(FATAL_ERROR "usage: cmake -D ROOT=<folder with src/> -P check-layers.cmake")
endif()
if(NOT MAX_LINES)
  set(MAX_LINES 600)
endif()

set(layers base port lock alloc sched sync comm lib entry)
set(platform_macros
  "__EMSCRIPTEN[A-Z_]*__|EMSCRIPTEN|__wasi__|__wasm[a-z0-9_]*__|__linux__|__linux|linux|__gnu_linux__|__ANDROID__|__APPLE__|__MACH__|_WIN32|_WIN64|__CYGWIN__|__MINGW32__|__unix__|__unix|__FreeBSD__|__OpenBSD__|__NetBSD__|__DragonFly__|__sun|__Fuchsia__")
set(processor_macros
  "__x86_64__|__x86_64|__amd64__|__i386__|__i386|__aarch64__|__arm__|__riscv|__riscv_xlen|__powerpc64__|__s390x__|__loongarch__|_M_X64|_M_ARM64|_M_IX86")

set(problems 0)
set(seen 0)

macro(problem text)
  message(NOTICE "src/${file}:${number}: ${text}")
  math(EXPR problems "${problems} + 1")
endmacro()

# Place of a layer's name in the order, from 0; -1 for what is no layer.
macro(rank_of layer out)
  list(FIND layers "${layer}" ${out})
endmacro()

# Rule 1, for an include of `path`.
macro(check_include path)
  if("${path}" MATCHES "^burrow/")
    # Public: anybody's.
  elseif(own STREQUAL "include")
    if(EXISTS "${ROOT}/src/${path}" OR "${path}" MATCHES "^(base|port|lock|alloc|sched|sync|comm|lib|entry)/")
      problem("a public header includes ${path}, which is not public")
    elseif(quoted)
      problem("a public header includes \"${path}\": write <burrow/...> or a system header")
    endif()
  elseif("${path}" MATCHES "^([a-z]+)/")
    rank_of("${CMAKE_MATCH_1}" theirs)
    if(theirs GREATER mine)
      problem("upward include: ${own} includes ${path}")
    endif()
  elseif(quoted AND "${path}" MATCHES "\\.\\.")
    problem("include by path from src/, not by ..: ${path}")
  endif()
endmacro()

# Rules 2 and 3, for a line of code.
macro(check_macros code)
  # A name counts as a whole word only, hence the characters around it.
  set(padded " ${code} ")
  if(macros_looked_at AND padded MATCHES "[^A-Za-z0-9_](${platform_macros})[^A-Za-z0-9_]")
    set(name "${CMAKE_MATCH_1}")
    if(NOT name STREQUAL "linux" OR padded MATCHES "^ *# *(if|el)")
      problem("platform macro ${name} outside port/ and base/config.h")
    endif()
  endif()
  if(processors_looked_at AND padded MATCHES "[^A-Za-z0-9_](${processor_macros})[^A-Za-z0-9_]")
    problem("processor macro ${CMAKE_MATCH_1} outside base/ and port/")
  endif()
endmacro()

file(GLOB_RECURSE files RELATIVE "${ROOT}/src" "${ROOT}/src/*.c" "${ROOT}/src/*.h" "${ROOT}/src/*.S")
list(SORT files)

foreach(file IN LISTS files)
  math(EXPR seen "${seen} + 1")
  string(REGEX MATCH "^[^/]+" own "${file}")
  rank_of("${own}" mine)
  set(number 1)
  if(mine LESS 0 AND NOT own STREQUAL "include")
    problem("${own}/ is no layer")
  endif()

  set(macros_looked_at TRUE)
  set(processors_looked_at TRUE)
  if(own STREQUAL "port" OR file STREQUAL "base/config.h")
    set(macros_looked_at FALSE)
  endif()
  if(own STREQUAL "port" OR own STREQUAL "base")
    set(processors_looked_at FALSE)
  endif()

  # CMake's lists end at `;` and are upset by brackets and backslashes: none of them matters here.
  file(READ "${ROOT}/src/${file}" text)
  string(REGEX REPLACE "[];\\[]" " " text "${text}")
  string(REPLACE "\\" " " text "${text}")
  string(REGEX MATCHALL "\n" newlines "${text}")
  list(LENGTH newlines lines)
  if(lines GREATER MAX_LINES AND NOT file MATCHES "\\.S$")
    set(number ${lines})
    problem("${lines} lines: a file has at most ${MAX_LINES}, make two rooms of it")
  endif()

  # Only lines that can break a rule are looked at one by one: the others would take seconds.
  set(suspicious "# *include|[^A-Za-z0-9_](${platform_macros}|${processor_macros})[^A-Za-z0-9_]")
  if(NOT "\n${text}" MATCHES "${suspicious}")
    continue()
  endif()
  string(REPLACE "\n" ";" text "${text}")
  set(number 0)
  foreach(line IN LISTS text)
    math(EXPR number "${number} + 1")
    if(NOT " ${line} " MATCHES "${suspicious}")
      continue()
    endif()
    string(REGEX REPLACE "//.*$" "" code "${line}")
    if(code MATCHES "^ *# *include *([<\"])([^>\"]+)[>\"]")
      set(path "${CMAKE_MATCH_2}")
      set(quoted FALSE)
      if(CMAKE_MATCH_1 STREQUAL "\"")
        set(quoted TRUE)
      endif()
      check_include("${path}")
    else()
      check_macros("${code}")
    endif()
  endforeach()
endforeach()

if(seen EQUAL 0)
  message(FATAL_ERROR "no sources below ${ROOT}/src: nothing was checked")
endif()
if(problems GREATER 0)
  message(FATAL_ERROR "check_layers: ${problems} violation(s) in ${seen} files")
endif()
message(STATUS "check_layers: ${seen} files keep the layers")
