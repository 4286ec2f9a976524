# Emscripten's own description of its platform, but with the wrappers of .emsdk/bin as tools.
#
# Emscripten's file is a toolchain file and a platform file in one: CMake reads it twice, the
# second time as Platform/Emscripten when project() starts, and each time it sets the compiler.
# So the place to say something else is here, in the file that is found instead.

# Emscripten's file runs its emcc and em-config directly; the wrappers need no such help.
# Where these are empty, emcc finds its configuration by itself.
if(BURROW_EM_CONFIG)
  set(ENV{EM_CONFIG} "${BURROW_EM_CONFIG}")
endif()
if(BURROW_EM_CACHE)
  set(ENV{EM_CACHE} "${BURROW_EM_CACHE}")
endif()
include("${BURROW_EMSCRIPTEN_ROOT}/cmake/Modules/Platform/Emscripten.cmake")

set(CMAKE_C_COMPILER "${BURROW_EMCC}")
set(CMAKE_CXX_COMPILER "${BURROW_EMXX}")
set(CMAKE_AR "${BURROW_EMAR}")
set(CMAKE_RANLIB "${BURROW_EMRANLIB}")
set(CMAKE_NM "${BURROW_LLVM_NM}")

# It knows C and C++ only, and CMake cannot find out about an assembler that is emcc.
set(CMAKE_ASM_COMPILER "${BURROW_EMCC}")
set(CMAKE_ASM_COMPILER_ID Clang)
set(CMAKE_ASM_COMPILER_ID_RUN TRUE)
set(CMAKE_ASM_COMPILER_VERSION "${CMAKE_C_COMPILER_VERSION}")

foreach(_burrow_lang C CXX ASM)
  set(CMAKE_${_burrow_lang}_COMPILER_AR "${CMAKE_AR}")
  set(CMAKE_${_burrow_lang}_COMPILER_RANLIB "${CMAKE_RANLIB}")
endforeach()
