// Max pooling and the blurring behind it in one pass, for every instruction set. V is a simd/
// description. Pooled rows live in a ring as long as the blur is high; an output row makes those
// that it adds. The sum begins with the bias and takes
// tap after tap, column by column, as XNNPACK's does.
#pragma once

#include "core/epilogue/generic.h"
#include "core/maxblur/kernel.h"

namespace tflbnn {
namespace {

template <class V>
struct MaxBlurGeneric {
  using F = typename V::F;
  using E = EpilogueGeneric<V>;
  static constexpr int kVectors = E::kVectors;

  static void PoolRow(const MaxBlurJob& job, const float* input, float* pooled) {
    const ptrdiff_t channels = job.channels, row = job.input_width * channels;
    const F low = V::SetF(job.pool_low), high = V::SetF(job.pool_high);
    for (ptrdiff_t x = 0; x < job.pooled_width; ++x, input += channels, pooled += channels) {
      for (ptrdiff_t channel = 0; channel < channels; channel += 32) {
        const int lanes = static_cast<int>(channels - channel < 32 ? channels - channel : 32);
        F most[kVectors];
        For<kVectors>([&](auto i) TFLBNN_LAMBDA { most[i.value] = low; });
        for (ptrdiff_t fy = 0; fy < job.pool_height; ++fy) {
          const float* tap = input + fy * row + channel;
          for (ptrdiff_t fx = 0; fx < job.pool_width; ++fx, tap += channels) {
            F v[kVectors];
            E::Load(v, tap, lanes);
            For<kVectors>([&](auto i)
                              TFLBNN_LAMBDA { most[i.value] = V::Max(v[i.value], most[i.value]); });
          }
        }
        For<kVectors>([&](auto i) TFLBNN_LAMBDA { most[i.value] = V::Min(most[i.value], high); });
        E::Store(pooled + channel, most, lanes);
      }
    }
  }

  static void Run(const MaxBlurJob& job, float* scratch, size_t first, size_t last) {
    const ptrdiff_t channels = job.channels, pooled_row = job.pooled_width * channels;
    const F low = V::SetF(job.low), high = V::SetF(job.high);
    ptrdiff_t image = -1, ready = 0;  // pooled rows of the image before this one are made
    for (auto r = static_cast<ptrdiff_t>(first); r < static_cast<ptrdiff_t>(last); ++r) {
      if (r / job.output_height != image) image = r / job.output_height, ready = 0;
      const ptrdiff_t y0 = r % job.output_height * job.stride_height - job.pad_top;
      const ptrdiff_t begin = y0 < 0 ? 0 : y0;
      const ptrdiff_t end =
          y0 + job.filter_height < job.pooled_height ? y0 + job.filter_height : job.pooled_height;
      for (ready = ready < begin ? begin : ready; ready < end; ++ready) {
        PoolRow(job, job.input + (image * job.input_height + ready) * job.input_width * channels,
                scratch + ready % job.filter_height * pooled_row);
      }
      float* output = job.output + r * job.output_width * channels;
      for (ptrdiff_t ox = 0; ox < job.output_width; ++ox, output += channels) {
        const ptrdiff_t x0 = ox * job.stride_width - job.pad_left;
        for (ptrdiff_t channel = 0; channel < channels; channel += 32) {
          const int lanes = static_cast<int>(channels - channel < 32 ? channels - channel : 32);
          F sum[kVectors];
          E::Load(sum, job.bias + channel, 32);
          for (ptrdiff_t fx = 0; fx < job.filter_width; ++fx) {
            const ptrdiff_t x = x0 + fx;
            if (x < 0 || x >= job.pooled_width) continue;
            for (ptrdiff_t y = begin; y < end; ++y) {
              const float* const weight =
                  job.filter + ((y - y0) * job.filter_width + fx) * job.lanes + channel;
              F v[kVectors];
              E::Load(v, scratch + y % job.filter_height * pooled_row + x * channels + channel,
                      lanes);
              For<kVectors>([&](auto i) TFLBNN_LAMBDA {
                sum[i.value] = V::Add(sum[i.value],
                                      V::Mul(v[i.value], V::LoadF(weight + i.value * V::kLanes)));
              });
            }
          }
          For<kVectors>([&](auto i) TFLBNN_LAMBDA {
            sum[i.value] = V::Min(V::Max(sum[i.value], low), high);
          });
          E::Store(output + channel, sum, lanes);
        }
      }
    }
  }
};

}  // namespace
}  // namespace tflbnn
