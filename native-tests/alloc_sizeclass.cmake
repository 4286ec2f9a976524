# The checked-in size-class tables are what their generator prints, byte for byte. Included by
# CMakeLists.txt of this folder; run as a script (by the tests) it does the comparison.
if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(COMMAND ${GENERATOR} ${TABLE} OUTPUT_FILE ${OUT} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${GENERATOR} ${TABLE} failed: ${status}")
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${OUT} ${HEADER} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${HEADER} is not what sizeclass_gen prints; compare with ${OUT}")
  endif()
  return()
endif()

set(alloc_dir ${PROJECT_SOURCE_DIR}/src/alloc)
add_executable(sizeclass_gen ${alloc_dir}/gen/sizeclass_gen.c)
foreach(table go67 go66 tcmalloc85)
  add_test(NAME alloc_sizeclass_${table}_is_generated
    COMMAND ${CMAKE_COMMAND} -D GENERATOR=$<TARGET_FILE:sizeclass_gen> -D TABLE=${table}
            -D HEADER=${alloc_dir}/tables/${table}.h
            -D OUT=${CMAKE_CURRENT_BINARY_DIR}/sizeclass-${table}.h
            -P ${CMAKE_CURRENT_SOURCE_DIR}/alloc_sizeclass.cmake)
endforeach()
