// Packing signs of int8 numbers, for every instruction set: 32 comparisons become a word. V is a
// simd/ description.
#pragma once

#include "core/quantize/kernel.h"
#include "core/simd/for.h"

namespace tflbnn {
namespace {

template <class V>
struct QuantizeGeneric {
  static void Run(const QuantizeJob& job, size_t first, size_t last) {
    const ptrdiff_t words = (job.channels + 31) / 32;
    const int8_t* input = job.input + static_cast<ptrdiff_t>(first) * job.channels;
    uint32_t* output = job.output + static_cast<ptrdiff_t>(first) * words;
    for (; first < last; ++first, input += job.channels) {
      ptrdiff_t c = 0;
      for (; c + 32 <= job.channels; c += 32) *output++ = V::Less32(input + c, job.zero_point);
      if (c == job.channels) continue;
      int8_t rest[32];
      for (int i = 0; i < 32; ++i) rest[i] = c + i < job.channels ? input[c + i] : job.zero_point;
      *output++ = V::Less32(rest, job.zero_point);
    }
  }
};

}  // namespace
}  // namespace tflbnn
