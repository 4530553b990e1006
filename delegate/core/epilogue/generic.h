// The stages over a block of 32 channels of P pixels, for every instruction set. V is a simd/
// description. Included by kernel files only.
#pragma once

#include "core/epilogue/stage.h"
#include "core/simd/for.h"

namespace tflbnn {
namespace {

template <class V>
struct EpilogueGeneric {
  using F = typename V::F;
  static constexpr int kVectors = 32 / V::kLanes;

  static TFLBNN_INLINE void Load(F* y, const float* p, int lanes) {
    if (lanes >= 32) {
      For<kVectors>([&](auto i) TFLBNN_LAMBDA { y[i.value] = V::LoadF(p + i.value * V::kLanes); });
      return;
    }
    For<kVectors>([&](auto i) TFLBNN_LAMBDA {
      const int left = lanes - i.value * V::kLanes;
      y[i.value] = left >= V::kLanes ? V::LoadF(p + i.value * V::kLanes)
                   : left > 0        ? V::LoadPartialF(p + i.value * V::kLanes, left)
                                     : V::ZeroF();
    });
  }

  static TFLBNN_INLINE void Store(float* p, const F* y, int lanes) {
    if (lanes >= 32) {
      For<kVectors>([&](auto i) TFLBNN_LAMBDA { V::StoreF(p + i.value * V::kLanes, y[i.value]); });
      return;
    }
    For<kVectors>([&](auto i) TFLBNN_LAMBDA {
      const int left = lanes - i.value * V::kLanes;
      if (left >= V::kLanes) {
        V::StoreF(p + i.value * V::kLanes, y[i.value]);
      } else if (left > 0) {
        V::StorePartialF(p + i.value * V::kLanes, y[i.value], left);
      }
    });
  }

  // A block that begins inside a word adds its bits to those of the block before it, which came
  // earlier for every pixel.
  static TFLBNN_INLINE void StoreBits(uint32_t* out, uint32_t bits, int shift, int lanes) {
    if (shift == 0) {
      out[0] = bits;
      return;
    }
    out[0] |= bits << shift;
    if (shift + lanes > 32) out[1] = bits >> (32 - shift);
  }

  // y[p] are the channels [channel, channel + lanes) of pixel[p].
  template <int P>
  static TFLBNN_INLINE void Run(const Stage* stage, int count, const ptrdiff_t* pixel, int channel,
                                int lanes, F (*y)[kVectors]) {
    for (const Stage* const end = stage + count; stage != end; ++stage) {
      const ptrdiff_t pitch = stage->pitch;
      const auto each = [&](const auto& fn) TFLBNN_LAMBDA {
        const float* const values = stage->values + channel;
        For<kVectors>([&](auto i) TFLBNN_LAMBDA {
          const F v = V::LoadF(values + i.value * V::kLanes);
          For<P>([&](auto p) TFLBNN_LAMBDA { y[p.value][i.value] = fn(y[p.value][i.value], v); });
        });
      };
      switch (stage->kind) {
        case StageKind::kMultiply:
          each([](F a, F b) TFLBNN_LAMBDA { return V::Mul(a, b); });
          break;
        case StageKind::kGate:
          For<P>([&](auto p) TFLBNN_LAMBDA {
            const float* const values =
                stage->values + pixel[p.value] / pitch * stage->stride + channel;
            For<kVectors>([&](auto i) TFLBNN_LAMBDA {
              y[p.value][i.value] =
                  V::Mul(y[p.value][i.value], V::LoadF(values + i.value * V::kLanes));
            });
          });
          break;
        case StageKind::kAdd:
          each([](F a, F b) TFLBNN_LAMBDA { return V::Add(a, b); });
          break;
        case StageKind::kPRelu:
          each([](F a, F b) TFLBNN_LAMBDA { return V::ScaleNegative(a, b); });
          break;
        case StageKind::kClamp: {
          const F low = V::SetF(stage->low), high = V::SetF(stage->high);
          For<P>([&](auto p) TFLBNN_LAMBDA {
            For<kVectors>([&](auto i) TFLBNN_LAMBDA {
              y[p.value][i.value] = V::Min(V::Max(y[p.value][i.value], low), high);
            });
          });
          break;
        }
        case StageKind::kAddTensor:
          For<P>([&](auto p) TFLBNN_LAMBDA {
            F other[kVectors];
            Load(other, stage->values + channel + pixel[p.value] * pitch, lanes);
            For<kVectors>([&](auto i) TFLBNN_LAMBDA {
              y[p.value][i.value] = V::Add(y[p.value][i.value], other[i.value]);
            });
          });
          break;
        case StageKind::kStore: {
          float* const out = static_cast<float*>(stage->output) + channel;
          For<P>([&](auto p)
                     TFLBNN_LAMBDA { Store(out + pixel[p.value] * pitch, y[p.value], lanes); });
          break;
        }
        case StageKind::kBits:
          Bits<P>(*stage, pixel, channel, lanes, y);
          break;
      }
    }
  }

  template <int P>
  static TFLBNN_INLINE void Bits(const Stage& stage, const ptrdiff_t* pixel, int channel, int lanes,
                                 const F (*y)[kVectors]) {
    uint32_t* const out = static_cast<uint32_t*>(stage.output) + channel / 32;
    const uint32_t used = lanes >= 32 ? ~0u : (1u << lanes) - 1;
    F limit[kVectors];
    For<kVectors>([&](auto i) TFLBNN_LAMBDA {
      limit[i.value] =
          stage.values ? V::LoadF(stage.values + channel + i.value * V::kLanes) : V::ZeroF();
    });
    const auto store = [&](auto p, const F* x) TFLBNN_LAMBDA {
      StoreBits(out + pixel[p.value] * stage.pitch, V::Less32(x, limit) & used, channel % 32,
                lanes);
    };
    if (!stage.sign) {
      For<P>([&](auto p) TFLBNN_LAMBDA { store(p, y[p.value]); });
      return;
    }
    For<P>([&](auto p) TFLBNN_LAMBDA {
      F x[kVectors];
      For<kVectors>([&](auto i) TFLBNN_LAMBDA {
        x[i.value] =
            V::Xor(y[p.value][i.value], V::LoadI(stage.sign + channel + i.value * V::kLanes));
      });
      store(p, x);
    });
  }
};

}  // namespace
}  // namespace tflbnn
