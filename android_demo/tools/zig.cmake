# Compiles for Android with Zig's C++ compiler (pip install ziglang), without an NDK:
#
#   cmake -S android_demo/delegate/src/main/cpp -B build -DCMAKE_TOOLCHAIN_FILE=android_demo/tools/zig.cmake
#         -DTFLBNN_ZIG=path/to/zig -DTFLBNN_ABI=arm64-v8a -DTFLBNN_JNI=/usr/lib/jvm/default-java/include
#
# Zig has musl's headers, not Android's. The two agree on what the delegate uses, and android_demo/tools/native.py checks
# that nothing else is asked of Android's C library. Releases are built with the NDK.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TFLBNN_ZIG TFLBNN_ABI TFLBNN_JNI)
set(zig_target_arm64-v8a aarch64-linux-musl)
set(zig_target_armeabi-v7a arm-linux-musleabi)
set(zig_target_x86_64 x86_64-linux-musl)
set(zig_target_x86 x86-linux-musl)
set(zig_processor_arm64-v8a aarch64)
set(zig_processor_armeabi-v7a armv7-a)
set(zig_processor_x86_64 x86_64)
set(zig_processor_x86 i686)
set(zig_flags_armeabi-v7a "-mcpu=generic+v7a+neon -mfloat-abi=softfp")
# Zig gives NEON's registers to no other target; calls stay those of softfp, which -mfloat-abi says.
set(TFLBNN_ARM32_NEON_OPTIONS --target=arm-linux-musleabihf)
if(NOT TFLBNN_ZIG OR NOT zig_target_${TFLBNN_ABI})
  message(FATAL_ERROR "zig.cmake needs TFLBNN_ZIG and TFLBNN_ABI, such as arm64-v8a. Received: '${TFLBNN_ZIG}', '${TFLBNN_ABI}'.")
endif()

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${zig_processor_${TFLBNN_ABI}})
set(CMAKE_C_COMPILER ${TFLBNN_ZIG} cc)
set(CMAKE_C_COMPILER_TARGET ${zig_target_${TFLBNN_ABI}})
set(CMAKE_CXX_COMPILER ${TFLBNN_ZIG} c++)
set(CMAKE_CXX_COMPILER_TARGET ${zig_target_${TFLBNN_ABI}})
# Android's loader knows the thread-local storage of ELF from API level 29 on only.
set(CMAKE_C_FLAGS_INIT "${zig_flags_${TFLBNN_ABI}} -femulated-tls")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -isystem ${TFLBNN_JNI} -isystem ${TFLBNN_JNI}/linux")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-dynamic -s")
# Nothing of this machine belongs to the target.
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE NEVER)
