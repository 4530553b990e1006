# Cross-compiles with Zig's C++ compiler, which carries the headers and libraries of its targets:
#
#   cmake -S delegate -B build -DCMAKE_TOOLCHAIN_FILE=delegate/cmake/zig.cmake
#         -DTFLBNN_ZIG=path/to/zig -DTFLBNN_ZIG_TARGET=aarch64-linux-gnu.2.27
#
# pip install ziglang puts the program zig into its package's folder.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TFLBNN_ZIG TFLBNN_ZIG_TARGET)
if(NOT TFLBNN_ZIG OR NOT TFLBNN_ZIG_TARGET MATCHES "^(x86_64|aarch64)-(linux|macos|windows)")
  message(FATAL_ERROR "zig.cmake needs TFLBNN_ZIG and TFLBNN_ZIG_TARGET, such as aarch64-linux-gnu.2.27. "
    "Received: '${TFLBNN_ZIG}', '${TFLBNN_ZIG_TARGET}'.")
endif()
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_MATCH_1})
set(zig_systems_linux Linux)
set(zig_systems_macos Darwin)
set(zig_systems_windows Windows)
set(CMAKE_SYSTEM_NAME ${zig_systems_${CMAKE_MATCH_2}})

set(CMAKE_CXX_COMPILER ${TFLBNN_ZIG} c++)
set(CMAKE_CXX_COMPILER_TARGET ${TFLBNN_ZIG_TARGET})
# Nothing of this machine belongs to the target.
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE NEVER)
set(CMAKE_MACOSX_RPATH ON)
set(CMAKE_INSTALL_NAME_TOOL true)
