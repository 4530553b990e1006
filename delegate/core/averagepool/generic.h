// Averages of floats after an affine map of each channel, for every instruction set. V is a simd/
// description.
//
// Sums of floats depend on their order; who computes an average should not show in its bits, so it
// is XNNPACK's. The mean of an image adds pixel after pixel. A window's elements are numbered
// column by column, those that padding stands for are zeros, and the sum is
//   ((2 + 3) + (4 + 5)) + (((0 + 1) + 8) + (6 + 7)).
#pragma once

#include "core/averagepool/kernel.h"
#include "core/epilogue/generic.h"

namespace tflbnn {
namespace {

template <class V>
struct AveragePoolGeneric {
  using F = typename V::F;
  using E = EpilogueGeneric<V>;
  static constexpr int kVectors = E::kVectors;

  struct Block {
    const AveragePoolJob& job;
    int channel, lanes;

    TFLBNN_INLINE void Load(F* y, const float* pixel) const {
      E::Load(y, pixel + channel, lanes);
      if (!job.multiplier) return;
      For<kVectors>([&](auto i) TFLBNN_LAMBDA {
        const int at = channel + i.value * V::kLanes;
        y[i.value] =
            V::Add(V::Mul(y[i.value], V::LoadF(job.multiplier + at)), V::LoadF(job.addend + at));
      });
    }

    TFLBNN_INLINE void Store(F* sum, ptrdiff_t count, float* output) const {
      const F share = V::SetF(1.f / static_cast<float>(count));
      For<kVectors>([&](auto i) TFLBNN_LAMBDA { sum[i.value] = V::Mul(sum[i.value], share); });
      E::Store(output + channel, sum, lanes);
    }

    TFLBNN_INLINE void Mean(const float* pixel, float* output) const {
      const ptrdiff_t pixels = job.input_height * job.input_width;
      F sum[kVectors];
      For<kVectors>([&](auto i) TFLBNN_LAMBDA { sum[i.value] = V::SetF(0); });
      for (ptrdiff_t p = 0; p < pixels; ++p, pixel += job.channels) {
        F y[kVectors];
        Load(y, pixel);
        For<kVectors>([&](auto i)
                          TFLBNN_LAMBDA { sum[i.value] = V::Add(sum[i.value], y[i.value]); });
      }
      Store(sum, pixels, output);
    }

    // The window whose first element is that of row y and column x of the image.
    TFLBNN_INLINE void Window(const float* image, ptrdiff_t y, ptrdiff_t x, float* output) const {
      F tap[kAveragePoolTaps][kVectors];
      ptrdiff_t count = 0;
      for (auto& one : tap) For<kVectors>([&](auto i) TFLBNN_LAMBDA { one[i.value] = V::SetF(0); });
      for (ptrdiff_t fx = 0; fx < job.filter_width; ++fx) {
        for (ptrdiff_t fy = 0; fy < job.filter_height; ++fy) {
          const ptrdiff_t row = y + fy, column = x + fx;
          if (row < 0 || row >= job.input_height || column < 0 || column >= job.input_width)
            continue;
          Load(tap[fx * job.filter_height + fy],
               image + (row * job.input_width + column) * job.channels);
          ++count;
        }
      }
      F sum[kVectors];
      For<kVectors>([&](auto v) TFLBNN_LAMBDA {
        const auto add = [&](int a, int b)
                             TFLBNN_LAMBDA { return V::Add(tap[a][v.value], tap[b][v.value]); };
        const F right = V::Add(V::Add(add(0, 1), tap[8][v.value]), add(6, 7));
        sum[v.value] = V::Add(V::Add(add(2, 3), add(4, 5)), right);
      });
      Store(sum, count, output);
    }
  };

  static void Run(const AveragePoolJob& job, size_t first, size_t last) {
    const ptrdiff_t blocks = (job.channels + 31) / 32;
    for (auto at = static_cast<ptrdiff_t>(first); at < static_cast<ptrdiff_t>(last); ++at) {
      const ptrdiff_t row = at / blocks;
      const int channel = static_cast<int>(at % blocks) * 32, left = job.channels - channel;
      const Block block{job, channel, left < 32 ? left : 32};
      const ptrdiff_t image = row / job.output_height;
      const float* const input =
          job.input + image * job.input_height * job.input_width * job.channels;
      float* output = job.output + row * job.output_width * job.output_pitch;
      if (job.whole) {
        block.Mean(input, output);
        continue;
      }
      const ptrdiff_t y = row % job.output_height * job.stride_height - job.pad_top;
      for (ptrdiff_t x = 0; x < job.output_width; ++x, output += job.output_pitch)
        block.Window(input, y, x * job.stride_width - job.pad_left, output);
    }
  }
};

}  // namespace
}  // namespace tflbnn
