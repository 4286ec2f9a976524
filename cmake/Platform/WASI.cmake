# What CMake has to know of WASI, read by project() when CMAKE_SYSTEM_NAME is WASI.
# (Newer versions of CMake have a file of this name; this one is found first and agrees.)
set(CMAKE_EXECUTABLE_SUFFIX .wasm)
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
set(CMAKE_DL_LIBS "")
