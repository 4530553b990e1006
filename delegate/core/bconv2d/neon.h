// NEON, 64-bit and 32-bit: a vector is a word of four channels, its 16 bytes count on their own for
// up to 31 words before they are added up.
#pragma once

#include "core/bconv2d/generic.h"
#include "core/simd/neon.h"

namespace tflbnn {
namespace {

struct NeonCounts {
  uint8x16_t bytes;
  uint32x4_t total;
};

struct NeonBConv2D : Neon {
  static constexpr int kAccumulators = 8, kSteps = 1;
  static constexpr int kWordsPerFlush = 31;  // a byte gains up to 8 a word, and 31 * 8 <= 255
  static constexpr size_t kWordBytes = 128;
  using Accumulator = NeonCounts;
  struct Weights {
    uint8x16_t bytes;
  };
  static TFLBNN_INLINE void Zero(Accumulator& a) {
    a.bytes = vdupq_n_u8(0);
    a.total = vdupq_n_u32(0);
  }
  // Through a general register: a load that broadcasts takes a vector pipe on many cores.
  static TFLBNN_INLINE uint8x16_t Repeat(uint32_t word) {
    asm("" : "+r"(word));
    return vreinterpretq_u8_u32(vdupq_n_u32(word));
  }
  static TFLBNN_INLINE uint8x16_t Broadcast(const uint32_t* x, int) { return Repeat(*x); }
  static TFLBNN_INLINE Weights LoadWeights(const uint8_t* w, int, int a) {
    return {vld1q_u8(w + 16 * a)};
  }
  static TFLBNN_INLINE void Accumulate(Accumulator& a, uint8x16_t x, const Weights& w) {
    a.bytes = vaddq_u8(a.bytes, vcntq_u8(veorq_u8(x, w.bytes)));
    asm(""
        : "+w"(a.bytes));  // keeps GCC from delaying the additions and spilling what they wait for
  }
  static TFLBNN_INLINE void Flush(Accumulator& a) {
    a.total = vpadalq_u16(a.total, vpaddlq_u8(a.bytes));
    a.bytes = vdupq_n_u8(0);
  }
  static TFLBNN_INLINE void Finish(const Accumulator* a, I* doubled) {
    For<8>([&](auto i) TFLBNN_LAMBDA {
      doubled[i.value] = vreinterpretq_s32_u32(vshlq_n_u32(a[i.value].total, 1));
    });
  }
  static void Pack(uint8_t* packed, const uint32_t* lanes) {
    __builtin_memcpy(packed, lanes, kWordBytes);
  }
};

}  // namespace
}  // namespace tflbnn
