// From doubled counts to the output: BConv2DTransform (params.h), then the output's format, for
// every instruction set. V is a simd/ description. Included by kernel files only.
#pragma once

#include "core/bconv2d/pixels.h"
#include "core/epilogue/generic.h"
#include "core/simd/for.h"

namespace tflbnn {
namespace {

template <class V>
struct BConv2DStore {
  using F = typename V::F;
  using I = typename V::I;
  using E = EpilogueGeneric<V>;
  static constexpr int kVectors = kBlockChannels / V::kLanes;  // float or int32 vectors in a block

  // `d` are the doubled counts of a block of P pixels.
  template <int P>
  static TFLBNN_INLINE void Run(const BConv2DJob& job, const Pixel* pixels, int block,
                                I (*d)[kVectors]) {
    const ptrdiff_t lane0 = static_cast<ptrdiff_t>(block) * kBlockChannels;
    const int channel = job.blocks[block].channel, lanes = job.blocks[block].lanes;
    For<P>([&](auto p) TFLBNN_LAMBDA {
      if (const int32_t* correction = pixels[p.value].correction) {
        For<kVectors>([&](auto i) TFLBNN_LAMBDA {
          d[p.value][i.value] =
              V::AddI(d[p.value][i.value], V::LoadI(correction + lane0 + i.value * V::kLanes));
        });
      }
    });
    if (job.output_type == BConv2DOutput::kBits) {
      I threshold[kVectors];
      For<kVectors>([&](auto i) TFLBNN_LAMBDA {
        threshold[i.value] = V::LoadI(job.threshold + lane0 + i.value * V::kLanes);
      });
      uint32_t* const out = static_cast<uint32_t*>(job.output) + channel / 32;
      For<P>([&](auto p) TFLBNN_LAMBDA {
        E::StoreBits(out + static_cast<ptrdiff_t>(pixels[p.value].index) * job.output_pitch,
                     V::Greater32(d[p.value], threshold), channel % 32, lanes);
      });
      return;
    }
    if (job.clamp) {
      const I low = V::SetI(job.low), high = V::SetI(job.high);
      For<P>([&](auto p) TFLBNN_LAMBDA {
        For<kVectors>([&](auto i) TFLBNN_LAMBDA {
          d[p.value][i.value] = V::MaxI(V::MinI(d[p.value][i.value], high), low);
        });
      });
    }
    const float* const multiplier = job.multiplier + lane0;
    const float* const bias = job.bias + lane0;
    F y[P][kVectors];
    ptrdiff_t index[P];
    For<P>([&](auto p) TFLBNN_LAMBDA {
      index[p.value] = static_cast<ptrdiff_t>(pixels[p.value].index);
      For<kVectors>([&](auto i) TFLBNN_LAMBDA {
        y[p.value][i.value] = V::Add(
            V::Mul(V::ToFloat(d[p.value][i.value]), V::LoadF(multiplier + i.value * V::kLanes)),
            V::LoadF(bias + i.value * V::kLanes));
      });
    });
    if (job.output_type == BConv2DOutput::kFloat32) {
      E::template Run<P>(job.stages, job.stage_count, index, channel, lanes, y);
      return;
    }
    For<P>([&](auto p) TFLBNN_LAMBDA {
      StoreInt8(static_cast<int8_t*>(job.output) + index[p.value] * job.output_pitch + channel,
                y[p.value], lanes);
    });
  }

  // Rounds half away from zero, saturates; NaN becomes -128.
  static TFLBNN_INLINE void StoreInt8(int8_t* out, const F* y, int lanes) {
    float value[kBlockChannels];
    For<kVectors>([&](auto i)
                      TFLBNN_LAMBDA { V::StoreF(value + i.value * V::kLanes, y[i.value]); });
    for (int i = 0; i < lanes; ++i) {
      float v = value[i] > -128.f ? value[i] : -128.f;
      v = v < 127.f ? v : 127.f;
      int32_t rounded = static_cast<int32_t>(v);
      const float rest = v - static_cast<float>(rounded);  // exact
      rounded += (rest >= .5f) - (rest <= -.5f);
      out[i] = static_cast<int8_t>(rounded);
    }
  }
};

}  // namespace
}  // namespace tflbnn
