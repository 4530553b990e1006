// AArch64 NEON: a lane is a byte of a channel, a step takes 8 bits of it, so vcnt needs no sums
// across lanes.
#include "core/bconv2d/generic.h"
#include "core/simd/neon.h"

namespace tflbnn {
namespace {

// Counts of 16 channels: in bytes, 7 words long; then in 16 bits, or in 32 where a count may pass
// 65,535.
template <bool kWide>
struct Counts;
template <>
struct Counts<false> {
  uint8x16_t bytes;
  uint16x8_t low, high;
  TFLBNN_INLINE void Zero() {
    bytes = vdupq_n_u8(0);
    low = high = vdupq_n_u16(0);
  }
  TFLBNN_INLINE void Flush() {
    low = vaddw_u8(low, vget_low_u8(bytes));
    high = vaddw_high_u8(high, bytes);
    bytes = vdupq_n_u8(0);
  }
  TFLBNN_INLINE void Doubled(int32x4_t* d) const {
    d[0] = vreinterpretq_s32_u32(vshll_n_u16(vget_low_u16(low), 1));
    d[1] = vreinterpretq_s32_u32(vshll_high_n_u16(low, 1));
    d[2] = vreinterpretq_s32_u32(vshll_n_u16(vget_low_u16(high), 1));
    d[3] = vreinterpretq_s32_u32(vshll_high_n_u16(high, 1));
  }
};
template <>
struct Counts<true> {
  uint8x16_t bytes;
  uint32x4_t total[4];
  TFLBNN_INLINE void Zero() {
    bytes = vdupq_n_u8(0);
    For<4>([&](auto i) TFLBNN_LAMBDA { total[i.value] = vdupq_n_u32(0); });
  }
  TFLBNN_INLINE void Flush() {
    const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_high_u8(bytes);
    total[0] = vaddw_u16(total[0], vget_low_u16(low));
    total[1] = vaddw_high_u16(total[1], low);
    total[2] = vaddw_u16(total[2], vget_low_u16(high));
    total[3] = vaddw_high_u16(total[3], high);
    bytes = vdupq_n_u8(0);
  }
  TFLBNN_INLINE void Doubled(int32x4_t* d) const {
    For<4>([&](auto i) TFLBNN_LAMBDA {
      d[i.value] = vreinterpretq_s32_u32(vshlq_n_u32(total[i.value], 1));
    });
  }
};

template <bool kWide>
struct NeonBConv2D : Neon {
  static constexpr int kTilePixels = 2, kTileBlocks = 2, kAccumulators = 2, kSteps = 4;
  static constexpr int kWordsPerFlush = 7;  // a byte gains up to 8 a step, and 7 * 4 * 8 <= 255
  static constexpr size_t kWordBytes = 128;
  using Accumulator = Counts<kWide>;
  struct Weights {
    uint8x16_t bytes;
  };
  static TFLBNN_INLINE void Zero(Accumulator& a) { a.Zero(); }
  static TFLBNN_INLINE uint8x16_t Broadcast(const uint32_t* x, int step) {
    return vld1q_dup_u8(reinterpret_cast<const uint8_t*>(x) + step);
  }
  static TFLBNN_INLINE Weights LoadWeights(const uint8_t* w, int step, int a) {
    return {vld1q_u8(w + 32 * step + 16 * a)};
  }
  static TFLBNN_INLINE void Accumulate(Accumulator& a, uint8x16_t x, const Weights& w) {
    a.bytes = vaddq_u8(a.bytes, vcntq_u8(veorq_u8(x, w.bytes)));
    asm(""
        : "+w"(a.bytes));  // keeps GCC from delaying the additions and spilling what they wait for
  }
  static TFLBNN_INLINE void Flush(Accumulator& a) { a.Flush(); }
  static TFLBNN_INLINE void Finish(const Accumulator* a, I* doubled) {
    a[0].Doubled(doubled);
    a[1].Doubled(doubled + 4);
  }
  static void Pack(uint8_t* packed, const uint32_t* lanes) {
    for (int step = 0; step < 4; ++step) {
      for (int lane = 0; lane < 32; ++lane) {
        packed[32 * step + lane] = static_cast<uint8_t>(lanes[lane] >> (8 * step));
      }
    }
  }
  static void Run(const BConv2DJob& job, const uint32_t** pointers, size_t first, size_t last) {
    if (job.wide) {
      BConv2DGeneric<NeonBConv2D<true>>::Run(job, pointers, first, last);
    } else {
      BConv2DGeneric<NeonBConv2D<false>>::Run(job, pointers, first, last);
    }
  }
};

}  // namespace

const BConv2DKernel& BConv2DNeon() {
  using V = NeonBConv2D<false>;
  static const BConv2DKernel kernel = {"neon", V::kTilePixels, V::kWordBytes, V::Pack, V::Run};
  return kernel;
}

}  // namespace tflbnn
