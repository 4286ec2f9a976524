# wasm32 with threads, by Emscripten. Needs what ./emsdk-setup.sh leaves in .emsdk, and
# nothing from the user's environment: `cmake --preset wasm` works in a plain shell.
#
# Sets BURROW_EMCC, BURROW_WASM_OPT, BURROW_LLVM_NM and the other names of .emsdk/env.cmake.

set(_burrow_prefix "$ENV{BURROW_EMSDK_DIR}")
if(_burrow_prefix STREQUAL "")
  get_filename_component(_burrow_prefix "${CMAKE_CURRENT_LIST_DIR}/../.emsdk" ABSOLUTE)
endif()
if(NOT EXISTS "${_burrow_prefix}/env.cmake")
  message(FATAL_ERROR "There is no WebAssembly toolchain in ${_burrow_prefix}: run ./emsdk-setup.sh first.")
endif()
include("${_burrow_prefix}/env.cmake")

find_program(BURROW_NODE NAMES node nodejs REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR "${BURROW_NODE}")

# Every program, those of try_compile too, links the libraries that the setup has built ahead.
# Otherwise the first check of a feature would build a C library without threads, or one for
# debugging, and the first link libc++: minutes each.
set(CMAKE_TRY_COMPILE_CONFIGURATION Release)
set(CMAKE_C_FLAGS_INIT "-pthread")
set(CMAKE_ASM_FLAGS_INIT "-pthread")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-sDEFAULT_TO_CXX=0")

# Ours comes before Emscripten's own Platform/Emscripten.cmake, and includes it.
list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
include("${CMAKE_CURRENT_LIST_DIR}/Platform/Emscripten.cmake")
