// Plain data only, see core/bconv2d/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tflbnn {

struct QuantizeJob {
  const int8_t* input;  // [row][channels]
  uint32_t* output;     // [row][words of the channels]
  ptrdiff_t channels;
  int8_t zero_point;  // bit = x < zero_point
};

struct QuantizeKernel {
  const char* name;
  void (*run)(const QuantizeJob& job, size_t first_row, size_t last_row);
};

#define QUANTIZE_KERNEL(isa, symbol) const QuantizeKernel& symbol();
#include "core/quantize/kernels.inc"
#undef QUANTIZE_KERNEL

}  // namespace tflbnn
