// Plain data only, see core/bconv2d/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/epilogue/stage.h"

namespace tflbnn {

constexpr int kConv2DTiles = 8;  // at a time

struct Conv2DJob {
  const float* input;    // [image][row][column][channels_in]
  const float* weights;  // [block of 32 channels][row][column][channels_in][32]
  const float* bias;     // readable 32 past the last channel
  const Stage* stages;
  int stage_count;
  int channels_out;
  ptrdiff_t channels_in, input_height, input_width, output_height, output_width;
  ptrdiff_t filter_height, filter_width, stride_height, stride_width, pad_top, pad_left;
  ptrdiff_t window_numbers;
  int first_block, last_block;  // of 32 output channels: these are computed
};

struct Conv2DKernel {
  const char* name;
  int tile_pixels;
  // Output pixels, counted over the whole batch. `windows` has room for kConv2DTiles times
  // window_numbers, as many as tile_pixels pixels of a row look at.
  void (*run)(const Conv2DJob& job, float* windows, size_t first_pixel, size_t last_pixel);
};

#define CONV2D_KERNEL(isa, symbol) const Conv2DKernel& symbol();
#include "core/conv2d/kernels.inc"
#undef CONV2D_KERNEL

}  // namespace tflbnn
