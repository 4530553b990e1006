// How much a thread does in a nanosecond, roughly: tells whether a loop is worth sharing among
// threads.
#pragma once

namespace tflbnn {

#if defined(__x86_64__)
constexpr double kBinaryMacsPerNs = 1000, kMacsPerNs = 50, kFloatsPerNs = 10, kBytesPerNs = 16;
#else
constexpr double kBinaryMacsPerNs = 200, kMacsPerNs = 10, kFloatsPerNs = 2, kBytesPerNs = 8;
#endif

}  // namespace tflbnn
