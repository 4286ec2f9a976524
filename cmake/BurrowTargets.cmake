# What every target of the project has in common.

# Warnings, sanitizers and, on wasm, the features the runtime is built on.
function(burrow_target target)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes>
    $<$<AND:$<COMPILE_LANGUAGE:C>,$<BOOL:${BURROW_WERROR}>>:-Werror>)
  if(BURROW_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${BURROW_SANITIZE} -fno-omit-frame-pointer -g)
    target_link_options(${target} PUBLIC -fsanitize=${BURROW_SANITIZE})
    if(BURROW_SANITIZE STREQUAL "undefined")
      target_compile_options(${target} PUBLIC -fno-sanitize-recover=all)
      target_compile_definitions(${target} PUBLIC BW_UBSAN=1)
    endif()
  endif()
  if(BURROW_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(BURROW_PORT STREQUAL "emscripten")
    target_compile_options(${target} PRIVATE -pthread -mbulk-memory)
  elseif(BURROW_PORT STREQUAL "wasi")
    target_compile_options(${target} PRIVATE -mbulk-memory)
  endif()
endfunction()

# What wasm-opt does to a program that may switch goroutines. First Binaryen's asyncify:
#  - with the inliner kept small: it would otherwise inline the switch itself into its callers before
#    the pass sees it, and the program hangs (LLVM has inlined what matters by then). What has at most
#    10 expressions is inlined: the accessors of port/wasm/ctx_sp.S and the check below;
#  - told that imports never suspend: only port/wasm/ctx.c does, and no JavaScript frame may be on the
#    stack of a switch; nor does what a failed check calls, nor a yield of the thread, which may run
#    calls that other threads have left for the main one (asyncify-never.txt).
#
# Then each change of the stack pointer is checked, by the pass stack-check with bw__sp_check of
# ctx_sp.S in place of the pass's own limits, which only JavaScript could set:
#  - the pass finds that there is an import named like its handler and adds none; its calls go to the
#    function of that name, which is ours. bw__sp_hook keeps the import up to here;
#  - it gives those calls a type that they do not have: writing and reading the module once mends it;
#  - its own limits stay 0: its condition holds always, and folds once nobody can set them;
#  - it comes after asyncify, which would take every function with a frame for one that may switch.
# It finds the stack pointer and the handler by name: until here the module must have its names.
set(BURROW_WASM_OPT_FLAGS
  --always-inline-max-function-size=10
  --flexible-inline-max-function-size=0
  --one-caller-inline-max-function-size=0
  --pass-arg=asyncify-ignore-imports
  --pass-arg=asyncify-removelist@bw__ctx_sp_outside
  --asyncify
  --pass-arg=stack-check-handler@bw__sp_check
  --stack-check
  --roundtrip
  --remove-exports=__set_stack_limits
  --remove-exports=bw__sp_check
  --remove-exports=bw__sp_hook
  --remove-unused-module-elements
  --simplify-globals-optimizing
  --inlining-optimizing)
set(BURROW_WASM_LINK_FLAGS -Wl,--export=bw__sp_check -Wl,--export=bw__sp_hook)

# burrow_link_emscripten(target): what every module linked by emcc needs. (emcc takes the names away
# before wasm-opt runs, unless an option like ASYNCIFY_REMOVE could ask for them; it says nothing else
# here, where asyncify is not emcc's. The finished module has none.)
function(burrow_link_emscripten target)
  string(REPLACE "@bw__ctx_sp_outside" "@@${PROJECT_SOURCE_DIR}/cmake/asyncify-never.txt" passes
    "${BURROW_WASM_OPT_FLAGS}") # emcc takes a comma for the end of an option
  string(REPLACE ";" "," passes "${passes}")
  target_link_options(${target} PRIVATE
    -pthread -sDEFAULT_TO_CXX=0 --js-library ${PROJECT_SOURCE_DIR}/cmake/asyncify-imports.js
    -sMALLOC=none -sALLOW_MEMORY_GROWTH=1 -sMAXIMUM_MEMORY=4GB -sSTACK_SIZE=262144
    "-sBINARYEN_EXTRA_PASSES=${passes}" -Wno-pthreads-mem-growth
    ${BURROW_WASM_LINK_FLAGS} -sASYNCIFY_REMOVE=keep-names)
endfunction()

# burrow_asyncify_wasi(target [option...]): runs wasm-opt over the linked module, in place.
function(burrow_asyncify_wasi target)
  target_link_options(${target} PRIVATE ${BURROW_WASM_LINK_FLAGS} -Wl,-z,stack-size=262144)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${BURROW_WASM_OPT} -O2 --enable-bulk-memory --enable-bulk-memory-opt --enable-sign-ext
            --enable-nontrapping-float-to-int --enable-mutable-globals --enable-multivalue
            --enable-reference-types --enable-exception-handling ${BURROW_WASM_OPT_FLAGS} ${ARGN}
            $<TARGET_FILE:${target}> -o $<TARGET_FILE:${target}>
    COMMAND_EXPAND_LISTS VERBATIM)
endfunction()

# burrow_program(target [KEEP_NAMES]): link settings of a C program with a main(). KEEP_NAMES: wasm
# modules keep the names of their functions.
function(burrow_program target)
  cmake_parse_arguments(PARSE_ARGV 1 option "KEEP_NAMES" "" "")
  target_link_libraries(${target} PRIVATE burrow)
  burrow_target(${target})
  if(BURROW_PORT STREQUAL "emscripten")
    # main() runs on a worker, which may block; five workers are started beforehand, more on demand.
    set_target_properties(${target} PROPERTIES SUFFIX .cjs)
    burrow_link_emscripten(${target})
    target_link_libraries(${target} PRIVATE burrow_program)
    target_link_options(${target} PRIVATE
      -sPROXY_TO_PTHREAD=1 -sEXIT_RUNTIME=1 -sPTHREAD_POOL_SIZE=5 -sENVIRONMENT=node
      -sDEFAULT_PTHREAD_STACK_SIZE=262144 -sINCOMING_MODULE_JS_API=preRun
      --pre-js ${PROJECT_SOURCE_DIR}/cmake/node-env.js
      $<$<BOOL:${option_KEEP_NAMES}>:--profiling-funcs>)
  elseif(BURROW_PORT STREQUAL "wasi")
    set_target_properties(${target} PROPERTIES SUFFIX .wasm)
    burrow_asyncify_wasi(${target} $<$<BOOL:${option_KEEP_NAMES}>:-g>)
  endif()
endfunction()
