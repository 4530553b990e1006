// Plain data only, see core/bconv2d/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tflbnn {

// The tree of sums is for windows of no more elements.
constexpr int kAveragePoolTaps = 9;

// A piece of the channels. Arrays are readable 32 past its last channel.
struct AveragePoolJob {
  const float* input;  // [image][row][column][channels]
  float* output;       // the first of its channels
  int channels;
  ptrdiff_t output_pitch;  // channels of an output pixel
  // Applied to every element, y = x * multiplier + addend; null: y = x.
  const float* multiplier;
  const float* addend;
  bool whole;  // the mean of all pixels, one after the other
  ptrdiff_t input_height, input_width, output_height, output_width;
  ptrdiff_t filter_height, filter_width, stride_height, stride_width, pad_top, pad_left;
};

struct AveragePoolKernel {
  const char* name;
  // Blocks of 32 channels of output rows, counted over the whole batch, all of a row in turn.
  void (*run)(const AveragePoolJob& job, size_t first, size_t last);
};

#define AVERAGEPOOL_KERNEL(isa, symbol) const AveragePoolKernel& symbol();
#include "core/averagepool/kernels.inc"
#undef AVERAGEPOOL_KERNEL

}  // namespace tflbnn
