# The checked-in size-class table is what its generator prints, byte for byte. Included by
# CMakeLists.txt of this folder; run as a script (by the test) it does the comparison.
if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(COMMAND ${GENERATOR} OUTPUT_FILE ${OUT} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${GENERATOR} failed: ${status}")
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${OUT} ${TABLE} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${TABLE} is not what sizeclass_gen prints; compare with ${OUT}")
  endif()
  return()
endif()

set(alloc_dir ${PROJECT_SOURCE_DIR}/src/alloc)
add_executable(sizeclass_gen ${alloc_dir}/gen/sizeclass_gen.c)
add_test(NAME alloc_sizeclass_table_is_generated
  COMMAND ${CMAKE_COMMAND} -D GENERATOR=$<TARGET_FILE:sizeclass_gen>
          -D TABLE=${alloc_dir}/sizeclass_table.h
          -D OUT=${CMAKE_CURRENT_BINARY_DIR}/sizeclass_table.h
          -P ${CMAKE_CURRENT_SOURCE_DIR}/alloc_sizeclass.cmake)
