// Plain data only, see core/bconv2d/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tflbnn {

constexpr int kMaxBlurHeight = 25;

struct MaxBlurJob {
  const float* input;  // [image][row][column][channels]
  float* output;
  ptrdiff_t channels;
  ptrdiff_t input_height, input_width, pooled_height, pooled_width, output_height, output_width;
  ptrdiff_t pool_height, pool_width;      // of a stride of 1 and no padding
  bool pools;                             // whether it does anything
  ptrdiff_t filter_height, filter_width;  // of the depthwise convolution, at most kMaxBlurHeight
  ptrdiff_t stride_height, stride_width, pad_top, pad_left;
  const float* filter;  // [tap][lanes], as the bias readable 32 past the last channel
  const float* bias;
  ptrdiff_t lanes;
  float pool_low, pool_high, low, high;  // limits of both results
};

struct MaxBlurKernel {
  const char* name;
  // Output rows, counted over the whole batch. `scratch` holds filter_height rows of 32 channels
  // of pooled numbers.
  void (*run)(const MaxBlurJob& job, float* scratch, size_t first_row, size_t last_row);
};

#define MAXBLUR_KERNEL(isa, symbol) const MaxBlurKernel& symbol();
#include "core/maxblur/kernels.inc"
#undef MAXBLUR_KERNEL

}  // namespace tflbnn
