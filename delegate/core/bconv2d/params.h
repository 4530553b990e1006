// What a binary convolution is, independent of how it is computed.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "core/window.h"

namespace tflbnn {

enum class Activation { kNone, kRelu, kReluN1To1, kRelu6 };

// Activations are [batch, height, width, words] bits; the filter is [channels_out, height, width,
// words of one group] bits. A set bit is -1. With groups > 1 each group has a multiple of 32 input
// channels.
struct BConv2DParams {
  Window height, width;
  Padding padding = Padding::kValid;
  bool zero_padding = false;  // SAME padding adds zeros to the sum instead of the products of +1
  int channels_in = 0, channels_out = 0, groups = 1;
  Activation activation = Activation::kNone;
  DataType output = DataType::kFloat32;
  float output_scale = 1;  // of an int8 output
  int32_t output_zero_point = 0;

  int channels_per_group() const { return channels_in / groups; }
  int words() const { return (channels_per_group() + 31) / 32; }  // of one tap of one group
  int taps() const { return height.filter * width.filter; }
  int64_t depth() const {
    return int64_t{taps()} * channels_per_group();
  }  // products in one sum, K below
};

// Arrays of channels_out elements; a float or int8 output needs the first two, bits the third. They
// may lie at any address.
struct BConv2DConstants {
  const void* filter = nullptr;
  const void* multiplier = nullptr;
  const void* bias = nullptr;
  const void* threshold = nullptr;
};

// From the sum to the output. With a = the number of products that are -1, the sum is s = K - 2 a.
// LCE works on the doubled count d = 2 a = K - s, because activation(s) * m + b = clamp(d) * -m +
// (K m + b) when the clamp's limits are mirrored, too. A tap that falls on zero padding contributes
// nothing to s, so half of its products count as -1: it adds its number of channels to d. Rounding
// follows LCE's reference kernel: constants in double, rounded once, then one multiplication and
// one addition in float.
struct BConv2DTransform {
  int32_t low = 0, high = 0;  // limits of d
  float multiplier = 0, bias = 0;
};

inline BConv2DTransform MakeTransform(const BConv2DParams& params, float multiplier, float bias) {
  const int32_t k = static_cast<int32_t>(params.depth());
  BConv2DTransform t;
  t.low = 0;
  t.high = 2 * k;
  if (params.activation == Activation::kRelu || params.activation == Activation::kRelu6) t.high = k;
  if (params.activation == Activation::kRelu6 && k > 6) t.low = k - 6;
  if (params.activation == Activation::kReluN1To1) t.low = k - 1, t.high = k + 1;
  const double scale = params.output == DataType::kInt8 ? double{params.output_scale} : 1.0;
  const double zero_point = params.output == DataType::kInt8 ? params.output_zero_point : 0.0;
  t.multiplier = static_cast<float>(-1 * double{multiplier} / scale);
  t.bias = static_cast<float>((double{bias} + double(k) * double{multiplier}) / scale + zero_point);
  return t;
}

}  // namespace tflbnn
