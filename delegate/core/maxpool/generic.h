// Max pooling of floats after an affine map of each channel, for every instruction set. V is a
// simd/ description.
//
// Rounding never reverses an order, so fl(fl(x * m) + a) rises with x for m >= 0, and the maximum
// of the results is the result of the maximum; for m < 0, x * m = -x * |m| makes it so. NaN takes
// no part in a maximum.
#pragma once

#include "core/epilogue/generic.h"
#include "core/maxpool/kernel.h"

namespace tflbnn {
namespace {

template <class V>
struct MaxPoolGeneric {
  using F = typename V::F;
  using E = EpilogueGeneric<V>;
  static constexpr int kVectors = E::kVectors;

  struct Rows {
    ptrdiff_t begin, end;
  };
  static TFLBNN_INLINE Rows Inside(ptrdiff_t first, ptrdiff_t filter, ptrdiff_t size) {
    const ptrdiff_t last = first + filter;
    return {first < 0 ? 0 : first, last < size ? last : size};
  }

  static TFLBNN_INLINE void Pixel(const MaxPoolJob& job, ptrdiff_t image, Rows y, Rows x,
                                  float* output) {
    const ptrdiff_t pitch = job.channels, row = pitch * job.input_width;
    const float* const corner = job.input + (image * job.input_height + y.begin) * row;
    const F low = V::SetF(job.low), high = V::SetF(job.high);
    for (int channel = 0; channel < job.channels; channel += 32) {
      const int lanes = job.channels - channel < 32 ? job.channels - channel : 32;
      typename V::I sign[kVectors];
      For<kVectors>([&](auto i) TFLBNN_LAMBDA {
        sign[i.value] = job.sign ? V::LoadI(job.sign + channel + i.value * V::kLanes) : V::SetI(0);
      });
      F most[kVectors];
      For<kVectors>([&](auto i) TFLBNN_LAMBDA { most[i.value] = V::SetF(-__builtin_inff()); });
      const float* line = corner + channel;
      for (ptrdiff_t fy = y.begin; fy < y.end; ++fy, line += row) {
        for (ptrdiff_t fx = x.begin; fx < x.end; ++fx) {
          F v[kVectors];
          E::Load(v, line + fx * pitch, lanes);
          For<kVectors>([&](auto i) TFLBNN_LAMBDA {
            if (job.sign) v[i.value] = V::Xor(v[i.value], sign[i.value]);
            most[i.value] = V::Max(v[i.value], most[i.value]);
          });
        }
      }
      For<kVectors>([&](auto i) TFLBNN_LAMBDA {
        if (job.sign) {
          most[i.value] = V::Add(
              V::Mul(most[i.value], V::LoadF(job.multiplier + channel + i.value * V::kLanes)),
              V::LoadF(job.addend + channel + i.value * V::kLanes));
        }
        most[i.value] = V::Min(V::Max(most[i.value], low), high);
      });
      E::Store(output + channel, most, lanes);
    }
  }

  static void Run(const MaxPoolJob& job, size_t first, size_t last) {
    for (auto r = static_cast<ptrdiff_t>(first); r < static_cast<ptrdiff_t>(last); ++r) {
      const ptrdiff_t image = r / job.output_height;
      const Rows y = Inside(r % job.output_height * job.stride_height - job.pad_top,
                            job.filter_height, job.input_height);
      float* output = job.output + r * job.output_width * job.output_pitch;
      for (ptrdiff_t ox = 0; ox < job.output_width; ++ox, output += job.output_pitch) {
        const Rows x =
            Inside(ox * job.stride_width - job.pad_left, job.filter_width, job.input_width);
        Pixel(job, image, y, x, output);
      }
    }
  }
};

}  // namespace
}  // namespace tflbnn
