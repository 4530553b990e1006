# Where Zig's musl stands in for Android's C library: what one has and the other lacks, and the dependency on libm.so,
# which musl does not have as a library of its own.
enable_language(C)
add_library(m SHARED ${CMAKE_CURRENT_LIST_DIR}/libm.c)
set_target_properties(m PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/stub)
add_library(tflbnn_bionic OBJECT ${CMAKE_CURRENT_LIST_DIR}/glue.c)
target_compile_options(tflbnn_bionic PRIVATE -fno-builtin -fvisibility=hidden)
set_target_properties(tflbnn_bionic PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_sources(tflbnn PRIVATE $<TARGET_OBJECTS:tflbnn_bionic>)
target_link_libraries(tflbnn PRIVATE -Wl,--no-as-needed m)
set_target_properties(tflbnn PROPERTIES SKIP_BUILD_RPATH ON)
