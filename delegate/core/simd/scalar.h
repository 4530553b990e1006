// 32 channels one by one, in plain C++.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/simd/for.h"

namespace tflbnn {
namespace {

struct Scalar {
  static constexpr int kLanes = 1;
  using F = float;
  using I = int32_t;
  static TFLBNN_INLINE F LoadF(const float* p) { return *p; }
  static TFLBNN_INLINE void StoreF(float* p, F v) { *p = v; }
  static TFLBNN_INLINE void StorePartialF(float*, F, int) {}
  static TFLBNN_INLINE F LoadPartialF(const float*, int) { return 0; }
  static TFLBNN_INLINE F ZeroF() { return 0; }
  static TFLBNN_INLINE F Add(F a, F b) { return a + b; }
  static TFLBNN_INLINE F Mul(F a, F b) { return a * b; }
  // a * b + c, where the product is exact.
  static TFLBNN_INLINE F MulAdd(F a, F b, F c) { return a * b + c; }
  static TFLBNN_INLINE F SetF(float v) { return v; }
  // b where either is NaN.
  static TFLBNN_INLINE F Max(F a, F b) { return a > b ? a : b; }
  static TFLBNN_INLINE F Min(F a, F b) { return a < b ? a : b; }
  static TFLBNN_INLINE F ScaleNegative(F a, F b) { return a < 0 ? a * b : a; }
  static TFLBNN_INLINE F Xor(F a, I b) {
    int32_t bits;
    memcpy(&bits, &a, sizeof(bits));
    bits ^= b;
    memcpy(&a, &bits, sizeof(bits));
    return a;
  }
  static TFLBNN_INLINE F ToFloat(I a) { return static_cast<float>(a); }
  static TFLBNN_INLINE I SetI(int32_t v) { return v; }
  static TFLBNN_INLINE I LoadI(const int32_t* p) { return *p; }
  static TFLBNN_INLINE I AddI(I a, I b) { return a + b; }
  static TFLBNN_INLINE I MaxI(I a, I b) { return a > b ? a : b; }
  static TFLBNN_INLINE I MinI(I a, I b) { return a < b ? a : b; }
  static TFLBNN_INLINE uint32_t Less32(const F* a, const F* b) {
    uint32_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= static_cast<uint32_t>(a[i] < b[i]) << i;
    return bits;
  }
  static TFLBNN_INLINE uint32_t Greater32(const I* a, const I* b) {
    uint32_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= static_cast<uint32_t>(a[i] > b[i]) << i;
    return bits;
  }
  static TFLBNN_INLINE uint32_t Less32(const int8_t* a, int8_t b) {
    uint32_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= static_cast<uint32_t>(a[i] < b) << i;
    return bits;
  }
};

}  // namespace
}  // namespace tflbnn
