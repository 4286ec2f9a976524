# wasm32 with one thread, by wasi-libc. Needs what ./emsdk-setup.sh leaves in .emsdk, and
# nothing from the user's environment: `cmake --preset wasi` works in a plain shell.
#
# Sets BURROW_WASI_CLANG, BURROW_WASM_OPT, BURROW_LLVM_NM and the other names of .emsdk/env.cmake.

set(_burrow_prefix "$ENV{BURROW_EMSDK_DIR}")
if(_burrow_prefix STREQUAL "")
  get_filename_component(_burrow_prefix "${CMAKE_CURRENT_LIST_DIR}/../.emsdk" ABSOLUTE)
endif()
if(NOT EXISTS "${_burrow_prefix}/env.cmake")
  message(FATAL_ERROR "There is no WebAssembly toolchain in ${_burrow_prefix}: run ./emsdk-setup.sh first.")
endif()
include("${_burrow_prefix}/env.cmake")

# CMake 3.25 does not know WASI: cmake/Platform/WASI.cmake tells it.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_VERSION 1)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")

# The wrapper adds the folder of the builtins, which CMake has no variable for.
set(CMAKE_C_COMPILER "${BURROW_WASI_CLANG}")
set(CMAKE_ASM_COMPILER "${BURROW_WASI_CLANG}")
set(CMAKE_C_COMPILER_TARGET wasm32-wasip1)
set(CMAKE_ASM_COMPILER_TARGET wasm32-wasip1)
set(CMAKE_SYSROOT "${BURROW_WASI_SYSROOT}")
set(CMAKE_AR "${BURROW_LLVM_AR}")
set(CMAKE_RANLIB "${BURROW_LLVM_RANLIB}")
set(CMAKE_NM "${BURROW_LLVM_NM}")
set(CMAKE_OBJDUMP "${BURROW_LLVM_OBJDUMP}")
set(CMAKE_STRIP "${BURROW_LLVM_STRIP}")

# node:wasi, with the current folder opened as "." for the program.
set(CMAKE_CROSSCOMPILING_EMULATOR "${BURROW_WASI_RUN}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
