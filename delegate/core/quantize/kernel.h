// Plain data only, see core/bconv2d/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tflbnn {

struct QuantizeJob {
  const void* input;  // [row][channels]
  uint32_t* output;   // [row][words of the channels]
  ptrdiff_t channels;
  // Of int8 input: bit = x < zero_point.
  int8_t zero_point;
  // Of float input: bit = (x ^ sign) < threshold, arrays padded to a multiple of 32. Null: bit = x
  // < 0.
  const float* threshold;
  const int32_t* sign;  // 0 or the sign bit
};

struct QuantizeKernel {
  const char* name;
  void (*float32)(const QuantizeJob& job, size_t first_row, size_t last_row);
  void (*int8)(const QuantizeJob& job, size_t first_row, size_t last_row);
};

#define QUANTIZE_KERNEL(isa, symbol) const QuantizeKernel& symbol();
#include "core/quantize/kernels.inc"
#undef QUANTIZE_KERNEL

}  // namespace tflbnn
