// Plain data only, see core/bconv2d/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tflbnn {

// A piece of the channels. Arrays are readable 32 past its last channel.
struct MaxPoolJob {
  const float* input;  // [image][row][column][channels]
  float* output;       // the first of its channels
  int channels;
  ptrdiff_t output_pitch;  // channels of an output pixel
  // y = (x ^ sign) * multiplier + addend with a multiplier that is not negative. Null: y = x.
  const int32_t* sign;
  const float* multiplier;
  const float* addend;
  ptrdiff_t input_height, input_width, output_height, output_width;
  ptrdiff_t filter_height, filter_width, stride_height, stride_width, pad_top, pad_left;
  float low, high;  // limits of the result
};

struct MaxPoolKernel {
  const char* name;
  // Output rows, counted over the whole batch.
  void (*run)(const MaxPoolJob& job, size_t first_row, size_t last_row);
};

#define MAXPOOL_KERNEL(isa, symbol) const MaxPoolKernel& symbol();
#include "core/maxpool/kernels.inc"
#undef MAXPOOL_KERNEL

}  // namespace tflbnn
