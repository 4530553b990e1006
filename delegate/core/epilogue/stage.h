// What happens to the numbers that an operation has just computed, while they are in registers: a
// short list of stages. Plain data only, see core/bconv2d/kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tflbnn {

enum class StageKind {
  kMultiply,   // y = y * values[channel]
  kGate,       // y = y * values[pixel / pitch * stride + channel], a row for each image
  kAdd,        // y = y + values[channel]
  kPRelu,      // y = y < 0 ? y * values[channel] : y
  kClamp,      // y = min(max(y, low), high)
  kAddTensor,  // y = y + values[pixel * pitch + channel]
  kStore,      // output[pixel * pitch + channel] = y, floats
  kBits,       // bit channel % 32 of output[pixel * pitch + channel / 32] = (y ^ sign) < values
};

struct Stage {
  StageKind kind;
  const float* values;  // one a channel: readable 32 past the last; null for kBits: all 0
  const int32_t* sign;  // 0 or the sign bit, one a channel; null: all 0
  void* output;
  ptrdiff_t pitch;   // elements of a pixel; for kGate: pixels of an image
  ptrdiff_t stride;  // for kGate: elements of a row
  float low, high;
};

}  // namespace tflbnn
