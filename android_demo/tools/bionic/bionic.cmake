# Where Zig's musl stands in for Android's C library: what one has and the other lacks, and the dependency on libm.so
# and libdl.so, which musl has within libc.so.
enable_language(C)
# Zig links its libraries by itself. Where CMake finds others for C than for C++, it names them once more, and musl's
# static library would be one.
set(CMAKE_C_IMPLICIT_LINK_LIBRARIES "")
set(CMAKE_CXX_IMPLICIT_LINK_LIBRARIES "")
foreach(name m dl)
  add_library(${name} SHARED ${CMAKE_CURRENT_LIST_DIR}/stub.c)
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/stub)
  target_compile_options(${name} PRIVATE -fno-builtin)
endforeach()
add_library(tflbnn_bionic OBJECT ${CMAKE_CURRENT_LIST_DIR}/glue.c)
target_compile_options(tflbnn_bionic PRIVATE -fno-builtin -fvisibility=hidden)
set_target_properties(tflbnn_bionic PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_sources(tflbnn PRIVATE $<TARGET_OBJECTS:tflbnn_bionic>)
target_link_libraries(tflbnn PRIVATE -Wl,--no-as-needed m dl)
set_target_properties(tflbnn PROPERTIES SKIP_BUILD_RPATH ON)

# The program that `tflbnn benchmark --adb` runs on a phone.
if(CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(linker /system/bin/linker64)
else()
  set(linker /system/bin/linker)
endif()
set(phone ${CMAKE_CURRENT_LIST_DIR}/../phone)
add_executable(tflbnn_benchmark ${phone}/benchmark.cc ${phone}/start.c $<TARGET_OBJECTS:tflbnn_bionic>)
set_target_properties(tflbnn_benchmark PROPERTIES POSITION_INDEPENDENT_CODE ON SKIP_BUILD_RPATH ON CXX_STANDARD 17)
target_include_directories(tflbnn_benchmark PRIVATE ${CMAKE_CURRENT_LIST_DIR}/../../../delegate)
target_compile_options(tflbnn_benchmark PRIVATE -Wall -Wextra -fno-builtin)
target_link_libraries(tflbnn_benchmark PRIVATE tflbnn ${TFLBNN_TFLITE} -Wl,--no-as-needed m dl)
target_link_options(tflbnn_benchmark PRIVATE -dynamic -pie -s -Wl,-e,_tflbnn_start -Wl,--gc-sections -Wl,--dynamic-linker=${linker}
  -Wl,-z,max-page-size=16384 -Wl,--allow-shlib-undefined)
