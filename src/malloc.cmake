# The allocator alone, as any program's malloc. Included by CMakeLists.txt.
#
#   native      libburrow_malloc.so    LD_PRELOAD=..., or link burrow::malloc
#   emscripten  libburrow_malloc.a     emcc prog.c -sMALLOC=none libburrow_malloc.a
#               libburrow_malloc-mt.a  emcc -pthread prog.c -sMALLOC=none libburrow_malloc-mt.a
#
# Sets BURROW_MALLOC_TARGETS: what is to be installed.
set(BURROW_MALLOC_TARGETS)
file(GLOB malloc_sources CONFIGURE_DEPENDS lock/mutex.c lock/rank.c alloc/*.c alloc/${BURROW_ALLOC_FRONT}/*.c)
list(APPEND malloc_sources entry/libc_malloc.c)

# A sanitizer brings a malloc of its own.
if(BURROW_PORT STREQUAL "posix" AND NOT BURROW_SANITIZE)
  include(CheckSymbolExists)
  check_symbol_exists(mallinfo2 malloc.h BURROW_HAS_GLIBC_MALLOC)
  file(GLOB port_sources CONFIGURE_DEPENDS port/posix/*.c)
  list(FILTER port_sources EXCLUDE REGEX "/(clock|ctx|divide|stacks|poll|fd)\\.c$")

  add_library(burrow-malloc SHARED ${malloc_sources} ${port_sources} entry/dropin/cxx_new.c)
  if(BURROW_HAS_GLIBC_MALLOC)
    target_sources(burrow-malloc PRIVATE entry/dropin/glibc.c)
  endif()
  burrow_target(burrow-malloc)
  set_target_properties(burrow-malloc PROPERTIES OUTPUT_NAME burrow_malloc EXPORT_NAME malloc)
  target_compile_definitions(burrow-malloc PRIVATE BW_ALLOC_EXPORT ${BURROW_ALLOC_DEFINITIONS})
  # Thread-local variables at fixed places: looking one up must not allocate.
  target_compile_options(burrow-malloc PRIVATE -ftls-model=initial-exec)
  set_source_files_properties(entry/dropin/cxx_new.c PROPERTIES
    COMPILE_OPTIONS "-fexceptions;-fasynchronous-unwind-tables")
  target_link_libraries(burrow-malloc PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  # Nothing is bound late, nothing of ours goes through a table, and it is never unloaded.
  target_link_options(burrow-malloc PRIVATE
    -Wl,-z,now -Wl,-z,nodelete -Wl,-z,defs
    -Wl,-Bsymbolic-functions
    -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/entry/dropin/exports.map)
  target_include_directories(burrow-malloc
    PUBLIC  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  add_library(burrow::malloc ALIAS burrow-malloc)
  list(APPEND BURROW_MALLOC_TARGETS burrow-malloc)
endif()

if(BURROW_PORT STREQUAL "emscripten")
  list(FILTER malloc_sources EXCLUDE REGEX "/(heap|heaps|objects|profile[a-z_]*|sampler|fork)\\.c$")
  list(APPEND malloc_sources alloc/slim/slim.c entry/dropin/emscripten.c
       port/wasm/code.c port/wasm/memory.c port/emscripten/system.c port/emscripten/malloc/host.c)

  # burrow_malloc_archive(target file compile-option sources...)
  function(burrow_malloc_archive target file option)
    add_library(${target} STATIC ${malloc_sources} ${ARGN})
    burrow_target(${target})
    target_compile_options(${target} PRIVATE ${option})
    target_compile_definitions(${target} PRIVATE ${BURROW_ALLOC_DEFINITIONS})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${file} EXPORT_NAME ${file})
    target_include_directories(${target}
      PUBLIC  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
      PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  endfunction()
  burrow_malloc_archive(burrow-malloc-plain burrow_malloc -no-pthread port/emscripten/malloc/plain.c)
  burrow_malloc_archive(burrow-malloc-mt burrow_malloc-mt -pthread
                        port/emscripten/futex.c port/emscripten/thread_exit.c)
  list(APPEND BURROW_MALLOC_TARGETS burrow-malloc-plain burrow-malloc-mt)
endif()
