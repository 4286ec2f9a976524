# Programs at the limits of linear memory, for wasm-tests/c-memory.test.mjs: one with the usual
# maximum, one with a small one, one whose memory cannot grow.
foreach(kind usual small fixed)
  add_executable(burrow-memory-${kind} memory/memory.c)
  target_include_directories(burrow-memory-${kind} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  burrow_program(burrow-memory-${kind})
endforeach()
if(BURROW_PORT STREQUAL "emscripten")
  target_link_options(burrow-memory-small PRIVATE -sINITIAL_MEMORY=4MB -sMAXIMUM_MEMORY=24MB)
  target_link_options(burrow-memory-fixed PRIVATE -sALLOW_MEMORY_GROWTH=0 -sINITIAL_MEMORY=24MB
                      -Wno-unused-command-line-argument) # the usual maximum
else()
  target_link_options(burrow-memory-small PRIVATE -Wl,--max-memory=25165824)
  target_link_options(burrow-memory-fixed PRIVATE -Wl,--initial-memory=25165824,--max-memory=25165824)
endif()
