// 32 channels as eight 128-bit vectors, in 64-bit and 32-bit ARM.
//
// 32-bit NEON flushes denormals to zero, so arithmetic and comparisons of floats stay with the
// scalar unit there: the kernels of all instruction sets give the same bits.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "core/simd/for.h"

namespace tflbnn {
namespace {

struct Neon {
  static constexpr int kLanes = 4;
  using I = int32x4_t;
#if defined(__aarch64__)
  using F = float32x4_t;
  static TFLBNN_INLINE F LoadF(const float* p) { return vld1q_f32(p); }
  static TFLBNN_INLINE void StoreF(float* p, F v) { vst1q_f32(p, v); }
  static TFLBNN_INLINE void StorePartialF(float* p, F v, int n) {
    float lanes[4];
    vst1q_f32(lanes, v);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
  }
  static TFLBNN_INLINE F LoadPartialF(const float* p, int n) {
    float lanes[4] = {0, 0, 0, 0};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return vld1q_f32(lanes);
  }
  static TFLBNN_INLINE F ZeroF() { return vdupq_n_f32(0); }
  static TFLBNN_INLINE F Add(F a, F b) { return vaddq_f32(a, b); }
  static TFLBNN_INLINE F Mul(F a, F b) { return vmulq_f32(a, b); }
  // a * b + c, rounded once.
  static TFLBNN_INLINE F MulAdd(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  static TFLBNN_INLINE F SetF(float v) { return vdupq_n_f32(v); }
  // b where either is NaN.
  static TFLBNN_INLINE F Max(F a, F b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static TFLBNN_INLINE F Min(F a, F b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  // a < 0 ? a * b : a
  static TFLBNN_INLINE F ScaleNegative(F a, F b) {
    return vbslq_f32(vcltq_f32(a, vdupq_n_f32(0)), vmulq_f32(a, b), a);
  }
  static TFLBNN_INLINE F Xor(F a, I b) {
    return vreinterpretq_f32_s32(veorq_s32(vreinterpretq_s32_f32(a), b));
  }
  static TFLBNN_INLINE F ToFloat(I a) { return vcvtq_f32_s32(a); }
#else
  struct F {
    float lane[4];
  };
  static TFLBNN_INLINE F LoadF(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
  static TFLBNN_INLINE void StoreF(float* p, F v) { StorePartialF(p, v, 4); }
  static TFLBNN_INLINE void StorePartialF(float* p, F v, int n) {
    for (int i = 0; i < n; ++i) p[i] = v.lane[i];
  }
  static TFLBNN_INLINE F Add(F a, F b) {
    For<4>([&](auto i) TFLBNN_LAMBDA { a.lane[i.value] += b.lane[i.value]; });
    return a;
  }
  static TFLBNN_INLINE F Mul(F a, F b) {
    For<4>([&](auto i) TFLBNN_LAMBDA { a.lane[i.value] *= b.lane[i.value]; });
    return a;
  }
  template <class Fn>
  static TFLBNN_INLINE F Each(F a, F b, const Fn& fn) {
    For<4>([&](auto i) TFLBNN_LAMBDA { a.lane[i.value] = fn(a.lane[i.value], b.lane[i.value]); });
    return a;
  }
  static TFLBNN_INLINE F LoadPartialF(const float* p, int n) {
    F result{};
    for (int i = 0; i < n; ++i) result.lane[i] = p[i];
    return result;
  }
  static TFLBNN_INLINE F SetF(float v) { return {{v, v, v, v}}; }
  static TFLBNN_INLINE F ZeroF() { return {}; }
  static TFLBNN_INLINE F Max(F a, F b) {
    return Each(a, b, [](float x, float y) TFLBNN_LAMBDA { return x > y ? x : y; });
  }
  static TFLBNN_INLINE F Min(F a, F b) {
    return Each(a, b, [](float x, float y) TFLBNN_LAMBDA { return x < y ? x : y; });
  }
  static TFLBNN_INLINE F ScaleNegative(F a, F b) {
    return Each(a, b, [](float x, float y) TFLBNN_LAMBDA { return x < 0 ? x * y : x; });
  }
  static TFLBNN_INLINE F Xor(F a, I b) {
    F result;
    vst1q_s32(reinterpret_cast<int32_t*>(result.lane),
              veorq_s32(vreinterpretq_s32_f32(vld1q_f32(a.lane)), b));
    return result;
  }
  static TFLBNN_INLINE uint32_t Less32(const F* a, const F* b) {
    uint32_t bits = 0;
    For<32>([&](auto i) TFLBNN_LAMBDA {
      constexpr int v = i.value / 4, lane = i.value % 4;
      bits |= static_cast<uint32_t>(a[v].lane[lane] < b[v].lane[lane]) << i.value;
    });
    return bits;
  }
  // Integers of this size have no denormals.
  static TFLBNN_INLINE F ToFloat(I a) {
    F result;
    vst1q_f32(result.lane, vcvtq_f32_s32(a));
    return result;
  }
#endif
  static TFLBNN_INLINE I SetI(int32_t v) { return vdupq_n_s32(v); }
  static TFLBNN_INLINE I LoadI(const int32_t* p) { return vld1q_s32(p); }
  static TFLBNN_INLINE I AddI(I a, I b) { return vaddq_s32(a, b); }
  static TFLBNN_INLINE I MaxI(I a, I b) { return vmaxq_s32(a, b); }
  static TFLBNN_INLINE I MinI(I a, I b) { return vminq_s32(a, b); }
  // Two vectors of 16 lanes, each all ones or all zeros, to 32 bits: one bit of a byte survives in
  // each lane, then pairwise sums gather eight lanes into a byte.
  static TFLBNN_INLINE uint32_t Bits32(uint8x16_t low, uint8x16_t high) {
    static const uint8_t kBit[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t bit = vld1q_u8(kBit);
    low = vandq_u8(low, bit);
    high = vandq_u8(high, bit);
#if defined(__aarch64__)
    uint8x16_t sum = vpaddq_u8(low, high);
    sum = vpaddq_u8(sum, sum);
    sum = vpaddq_u8(sum, sum);
    return vgetq_lane_u32(vreinterpretq_u32_u8(sum), 0);
#else
    uint8x8_t sum = vpadd_u8(vpadd_u8(vget_low_u8(low), vget_high_u8(low)),
                             vpadd_u8(vget_low_u8(high), vget_high_u8(high)));
    sum = vpadd_u8(sum, sum);
    return vget_lane_u32(vreinterpret_u32_u8(sum), 0);
#endif
  }
  // The low halves of all lanes.
  static TFLBNN_INLINE uint16x8_t Narrow(uint32x4_t a, uint32x4_t b) {
#if defined(__aarch64__)
    return vuzp1q_u16(vreinterpretq_u16_u32(a), vreinterpretq_u16_u32(b));
#else
    return vcombine_u16(vmovn_u32(a), vmovn_u32(b));
#endif
  }
  static TFLBNN_INLINE uint8x16_t Narrow(uint16x8_t a, uint16x8_t b) {
#if defined(__aarch64__)
    return vuzp1q_u8(vreinterpretq_u8_u16(a), vreinterpretq_u8_u16(b));
#else
    return vcombine_u8(vmovn_u16(a), vmovn_u16(b));
#endif
  }
  template <class Compare>
  static TFLBNN_INLINE uint32_t
  Gather32(const Compare& lanes) {  // lanes(i): mask of channels 4 i .. 4 i + 3
    uint8x16_t half[2];
    For<2>([&](auto h) TFLBNN_LAMBDA {
      uint16x8_t pair[2];
      For<2>([&](auto i) TFLBNN_LAMBDA {
        constexpr int first = 4 * h.value + 2 * i.value;
        pair[i.value] = Narrow(lanes(Int<first>()), lanes(Int<first + 1>()));
      });
      half[h.value] = Narrow(pair[0], pair[1]);
    });
    return Bits32(half[0], half[1]);
  }
  static TFLBNN_INLINE uint32_t Greater32(const I* a, const I* b) {
    return Gather32([&](auto i) TFLBNN_LAMBDA { return vcgtq_s32(a[i.value], b[i.value]); });
  }
#if defined(__aarch64__)  // packing signs in 32-bit ARM is the scalar kernel's
  static TFLBNN_INLINE uint32_t Less32(const F* a, const F* b) {
    return Gather32([&](auto i) TFLBNN_LAMBDA { return vcltq_f32(a[i.value], b[i.value]); });
  }
  static TFLBNN_INLINE uint32_t Less32(const int8_t* a, int8_t b) {
    const int8x16_t limit = vdupq_n_s8(b);
    return Bits32(vcltq_s8(vld1q_s8(a), limit), vcltq_s8(vld1q_s8(a + 16), limit));
  }
#endif
};

}  // namespace
}  // namespace tflbnn
