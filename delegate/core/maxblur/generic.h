// Max pooling and the depthwise convolution behind it in one pass, for every instruction set. V is
// a simd/ description. Pooled rows live in a ring as long as the filter is high; an output row
// makes those that it adds. Without a pooling they are the input's. A sum begins with the bias and
// takes tap after tap, column by column, as XNNPACK's does.
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
  static constexpr ptrdiff_t kPitch = 32;  // of a pooled row's columns

  template <int kFull>
  static TFLBNN_INLINE void Load(F* v, const float* from, ptrdiff_t lanes) {
    if constexpr (kFull > 0) {
      For<kFull>([&](auto i) TFLBNN_LAMBDA { v[i.value] = V::LoadF(from + i.value * V::kLanes); });
    } else {
      E::Load(v, from, static_cast<int>(lanes));
    }
  }
  template <int kFull>
  static TFLBNN_INLINE void Store(float* to, const F* v, ptrdiff_t lanes) {
    if constexpr (kFull > 0) {
      For<kFull>([&](auto i) TFLBNN_LAMBDA { V::StoreF(to + i.value * V::kLanes, v[i.value]); });
    } else {
      E::Store(to, v, static_cast<int>(lanes));
    }
  }

  // Up to 32 channels of a pooled row. Vectors that are all full have their number; a window of
  // 2 x 2 is known when compiling.
  template <bool kTwo, int kFull>
  static TFLBNN_INLINE void PoolRow(const MaxBlurJob& job, const float* input, ptrdiff_t lanes,
                                    float* pooled) {
    constexpr int kN = kFull > 0 ? kFull : kVectors;
    const ptrdiff_t channels = job.channels, row = job.input_width * channels;
    const ptrdiff_t height = kTwo ? 2 : job.pool_height;
    const F low = V::SetF(job.pool_low), high = V::SetF(job.pool_high);
    const auto column = [&](const float* tap, F* most) TFLBNN_LAMBDA {
      For<kN>([&](auto i) TFLBNN_LAMBDA { most[i.value] = low; });
      for (ptrdiff_t fy = 0; fy < height; ++fy, tap += row) {
        F v[kN];
        Load<kFull>(v, tap, lanes);
        For<kN>([&](auto i) TFLBNN_LAMBDA { most[i.value] = V::Max(v[i.value], most[i.value]); });
      }
    };
    F last[kN];  // of the column before, where there are two
    column(input, last);
    for (ptrdiff_t x = 0; x < job.pooled_width; ++x, input += channels, pooled += kPitch) {
      F most[kN];
      if constexpr (kTwo) {
        column(input + channels, most);
        For<kN>([&](auto i) TFLBNN_LAMBDA {
          const F next = most[i.value];
          most[i.value] = V::Max(last[i.value], next);
          last[i.value] = next;
        });
      } else {
        column(input, most);
        for (ptrdiff_t fx = 1; fx < job.pool_width; ++fx) {
          column(input + fx * channels, last);
          For<kN>([&](auto i)
                      TFLBNN_LAMBDA { most[i.value] = V::Max(last[i.value], most[i.value]); });
        }
      }
      For<kN>([&](auto i) TFLBNN_LAMBDA { most[i.value] = V::Min(most[i.value], high); });
      Store<kFull>(pooled, most, lanes);
    }
  }

  // Up to 32 channels of an output row. rows[fy] are those of a pooled row, null outside, `pitch`
  // from one column to the next. The filter of kSide x kSide is known when compiling, or 0.
  template <int kSide, int kFull>
  static TFLBNN_INLINE void BlurRow(const MaxBlurJob& job, const float* const* rows,
                                    ptrdiff_t pitch, ptrdiff_t channel, ptrdiff_t lanes,
                                    float* output) {
    constexpr int kN = kFull > 0 ? kFull : kVectors;
    const ptrdiff_t height = kSide ? kSide : job.filter_height;
    const ptrdiff_t width = kSide ? kSide : job.filter_width;
    const F low = V::SetF(job.low), high = V::SetF(job.high);
    const float* const filter = job.filter + channel;
    for (ptrdiff_t ox = 0; ox < job.output_width; ++ox, output += job.channels) {
      const ptrdiff_t x0 = ox * job.stride_width - job.pad_left;
      F sum[kN];
      For<kN>([&](auto i) TFLBNN_LAMBDA {
        sum[i.value] = V::LoadF(job.bias + channel + i.value * V::kLanes);
      });
      const auto tap = [&](ptrdiff_t fy, ptrdiff_t fx) TFLBNN_LAMBDA {
        F v[kN];
        Load<kFull>(v, rows[fy] + (x0 + fx) * pitch, lanes);
        const float* const weight = filter + (fy * width + fx) * job.lanes;
        For<kN>([&](auto i) TFLBNN_LAMBDA {
          sum[i.value] =
              V::MulAdd(v[i.value], V::LoadF(weight + i.value * V::kLanes), sum[i.value]);
        });
      };
      if (kSide && x0 >= 0 && x0 + width <= job.pooled_width) {
        For<kSide>([&](auto fx) TFLBNN_LAMBDA {
          For<kSide>([&](auto fy) TFLBNN_LAMBDA { tap(fy.value, fx.value); });
        });
      } else {
        for (ptrdiff_t fx = 0; fx < width; ++fx) {
          if (x0 + fx < 0 || x0 + fx >= job.pooled_width) continue;
          for (ptrdiff_t fy = 0; fy < height; ++fy) {
            if (rows[fy]) tap(fy, fx);
          }
        }
      }
      For<kN>([&](auto i)
                  TFLBNN_LAMBDA { sum[i.value] = V::Min(V::Max(sum[i.value], low), high); });
      Store<kFull>(output, sum, lanes);
    }
  }

  static void Channels(const MaxBlurJob& job, ptrdiff_t channel, float* scratch, ptrdiff_t first,
                       ptrdiff_t last) {
    const ptrdiff_t channels = job.channels, left = channels - channel;
    const ptrdiff_t lanes = left < 32 ? left : 32, input_row = job.input_width * channels;
    const ptrdiff_t pitch = job.pools ? kPitch : channels;
    const bool two = job.pool_height == 2 && job.pool_width == 2;
    const bool three = job.filter_height == 3 && job.filter_width == 3;
    ptrdiff_t image = -1, ready = 0;  // pooled rows of the image before this one are made
    for (ptrdiff_t r = first; r < last; ++r) {
      if (r / job.output_height != image) image = r / job.output_height, ready = 0;
      const ptrdiff_t y0 = r % job.output_height * job.stride_height - job.pad_top;
      const ptrdiff_t begin = y0 < 0 ? 0 : y0;
      const ptrdiff_t end =
          y0 + job.filter_height < job.pooled_height ? y0 + job.filter_height : job.pooled_height;
      const float* const input = job.input + image * job.input_height * input_row + channel;
      const auto place = [&](ptrdiff_t y) TFLBNN_LAMBDA {
        return scratch + y % job.filter_height * job.pooled_width * kPitch;
      };
      for (ready = ready < begin ? begin : ready; job.pools && ready < end; ++ready) {
        if (two && lanes == 32) {
          PoolRow<true, kVectors>(job, input + ready * input_row, lanes, place(ready));
        } else {
          PoolRow<false, 0>(job, input + ready * input_row, lanes, place(ready));
        }
      }
      const float* rows[kMaxBlurHeight];
      for (ptrdiff_t fy = 0; fy < job.filter_height; ++fy) {
        const ptrdiff_t y = y0 + fy;
        rows[fy] = y < 0 || y >= job.pooled_height ? nullptr
                   : job.pools                     ? place(y)
                                                   : input + y * input_row;
      }
      float* const output = job.output + r * job.output_width * channels + channel;
      const bool whole = three && end - begin == 3;
      if (whole && lanes == 32) {
        BlurRow<3, kVectors>(job, rows, pitch, channel, lanes, output);
      } else if (whole && lanes == 16 && kVectors > 1) {
        BlurRow<3, (kVectors + 1) / 2>(job, rows, pitch, channel, lanes, output);
      } else {
        BlurRow<0, 0>(job, rows, pitch, channel, lanes, output);
      }
    }
  }

  static void Run(const MaxBlurJob& job, float* scratch, size_t first, size_t last) {
    for (ptrdiff_t channel = 0; channel < job.channels; channel += 32)
      Channels(job, channel, scratch, static_cast<ptrdiff_t>(first), static_cast<ptrdiff_t>(last));
  }
};

}  // namespace
}  // namespace tflbnn
