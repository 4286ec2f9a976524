# What libburrow_malloc.so exports is malloc's names, C++'s operators and our API, and all of those that
# every program may want; what it takes from others must not be libstdc++'s, save two weak symbols.
#
#   cmake -D NM=<nm> -D LIBRARY=<libburrow_malloc.so> -P symbols.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${NM} -D --defined-only --format=posix ${LIBRARY} OUTPUT_VARIABLE defined
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${NM} -D --undefined-only --format=posix ${LIBRARY} OUTPUT_VARIABLE undefined
                COMMAND_ERROR_IS_FATAL ANY)

set(family malloc free calloc realloc reallocarray aligned_alloc memalign posix_memalign valloc pvalloc
    malloc_usable_size free_sized free_aligned_sized)
set(tuning mallinfo mallinfo2 mallopt malloc_info malloc_stats malloc_trim)
list(JOIN family "|" wanted)
list(JOIN tuning "|" more)
set(allowed "^(${wanted}|${more}|__libc_[a-z]+|__posix_memalign|_Zn[wa]m.*|_Zd[la]Pv.*|bw_[a-z_]+)$")

set(names)
string(REGEX MATCHALL "[^\n]+" lines "${defined}")
foreach(line IN LISTS lines)
  string(REGEX MATCH "^[^ ]+" name "${line}")
  list(APPEND names ${name})
  if(NOT name MATCHES "${allowed}")
    message(SEND_ERROR "unexpected export: ${name}")
  endif()
endforeach()
foreach(name IN LISTS family ITEMS bw_malloc bw_alloc_stats_read)
  if(NOT name IN_LIST names)
    message(SEND_ERROR "not exported: ${name}")
  endif()
endforeach()
list(FILTER names INCLUDE REGEX "^_Z")
list(LENGTH names operators)
if(NOT operators EQUAL 20)
  message(SEND_ERROR "${operators} operators new and delete, not 20")
endif()

string(REGEX MATCHALL "[^\n]+" lines "${undefined}")
foreach(line IN LISTS lines)
  if(line MATCHES "^_Z" AND NOT line MATCHES "^_Z[^ ]+ w")
    message(SEND_ERROR "needs a C++ library: ${line}")
  endif()
endforeach()
