// Packing signs, for every instruction set: 32 comparisons become a word. V is a simd/ description.
#pragma once

#include "core/quantize/kernel.h"
#include "core/simd/for.h"

namespace tflbnn {
namespace {

template <class V>
struct QuantizeGeneric {
  using F = typename V::F;
  static constexpr int kVectors = 32 / V::kLanes;

  // Unused lanes are +0, which is not below 0; thresholds of unused channels are -infinity.
  static TFLBNN_INLINE void Load(F* x, const float* p, ptrdiff_t left) {
    if (left >= 32) {
      For<kVectors>([&](auto i) TFLBNN_LAMBDA { x[i.value] = V::LoadF(p + i.value * V::kLanes); });
      return;
    }
    For<kVectors>([&](auto i) TFLBNN_LAMBDA {
      const int lanes = static_cast<int>(left) - i.value * V::kLanes;
      x[i.value] = lanes >= V::kLanes ? V::LoadF(p + i.value * V::kLanes)
                   : lanes > 0        ? V::LoadPartialF(p + i.value * V::kLanes, lanes)
                                      : V::ZeroF();
    });
  }

  static void Float32(const QuantizeJob& job, size_t first, size_t last) {
    const ptrdiff_t words = (job.channels + 31) / 32;
    const float* input =
        static_cast<const float*>(job.input) + static_cast<ptrdiff_t>(first) * job.channels;
    uint32_t* output = job.output + static_cast<ptrdiff_t>(first) * words;
    F zero[kVectors];
    For<kVectors>([&](auto i) TFLBNN_LAMBDA { zero[i.value] = V::ZeroF(); });
    for (; first < last; ++first, input += job.channels) {
      for (ptrdiff_t c = 0; c < job.channels; c += 32) {
        F x[kVectors];
        Load(x, input + c, job.channels - c);
        if (job.threshold) {
          F limit[kVectors];
          For<kVectors>([&](auto i) TFLBNN_LAMBDA {
            limit[i.value] = V::LoadF(job.threshold + c + i.value * V::kLanes);
            x[i.value] = V::Xor(x[i.value], V::LoadI(job.sign + c + i.value * V::kLanes));
          });
          *output++ = V::Less32(x, limit);
        } else {
          *output++ = V::Less32(x, zero);
        }
      }
    }
  }

  static void Int8(const QuantizeJob& job, size_t first, size_t last) {
    const ptrdiff_t words = (job.channels + 31) / 32;
    const int8_t* input =
        static_cast<const int8_t*>(job.input) + static_cast<ptrdiff_t>(first) * job.channels;
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
