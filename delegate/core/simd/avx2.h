// 32 channels as four 256-bit vectors.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "core/simd/for.h"

namespace tflbnn {
namespace {

struct Avx2 {
  static constexpr int kLanes = 8;
  using F = __m256;
  using I = __m256i;
  static TFLBNN_INLINE I FirstLanes(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static TFLBNN_INLINE F LoadF(const float* p) { return _mm256_loadu_ps(p); }
  static TFLBNN_INLINE void StoreF(float* p, F v) { _mm256_storeu_ps(p, v); }
  static TFLBNN_INLINE void StorePartialF(float* p, F v, int n) {
    _mm256_maskstore_ps(p, FirstLanes(n), v);
  }
  static TFLBNN_INLINE F LoadPartialF(const float* p, int n) {
    return _mm256_maskload_ps(p, FirstLanes(n));
  }
  static TFLBNN_INLINE F ZeroF() { return _mm256_setzero_ps(); }
  static TFLBNN_INLINE F Add(F a, F b) { return _mm256_add_ps(a, b); }
  static TFLBNN_INLINE F Mul(F a, F b) { return _mm256_mul_ps(a, b); }
  // a * b + c, rounded once.
  static TFLBNN_INLINE F MulAdd(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static TFLBNN_INLINE F SetF(float v) { return _mm256_set1_ps(v); }
  // b where either is NaN.
  static TFLBNN_INLINE F Max(F a, F b) { return _mm256_max_ps(a, b); }
  static TFLBNN_INLINE F Min(F a, F b) { return _mm256_min_ps(a, b); }
  // a < 0 ? a * b : a
  static TFLBNN_INLINE F ScaleNegative(F a, F b) {
    return _mm256_blendv_ps(a, _mm256_mul_ps(a, b),
                            _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_LT_OQ));
  }
  static TFLBNN_INLINE F Xor(F a, I b) { return _mm256_xor_ps(a, _mm256_castsi256_ps(b)); }
  static TFLBNN_INLINE F ToFloat(I a) { return _mm256_cvtepi32_ps(a); }
  static TFLBNN_INLINE I SetI(int32_t v) { return _mm256_set1_epi32(v); }
  static TFLBNN_INLINE I LoadI(const int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static TFLBNN_INLINE I AddI(I a, I b) { return _mm256_add_epi32(a, b); }
  static TFLBNN_INLINE I MaxI(I a, I b) { return _mm256_max_epi32(a, b); }
  static TFLBNN_INLINE I MinI(I a, I b) { return _mm256_min_epi32(a, b); }
  static TFLBNN_INLINE uint32_t Less32(const F* a, const F* b) {
    uint32_t bits = 0;
    For<4>([&](auto i) TFLBNN_LAMBDA {
      bits |= static_cast<uint32_t>(
                  _mm256_movemask_ps(_mm256_cmp_ps(a[i.value], b[i.value], _CMP_LT_OQ)))
              << (8 * i.value);
    });
    return bits;
  }
  static TFLBNN_INLINE uint32_t Greater32(const I* a, const I* b) {
    uint32_t bits = 0;
    For<4>([&](auto i) TFLBNN_LAMBDA {
      const __m256 greater = _mm256_castsi256_ps(_mm256_cmpgt_epi32(a[i.value], b[i.value]));
      bits |= static_cast<uint32_t>(_mm256_movemask_ps(greater)) << (8 * i.value);
    });
    return bits;
  }
  static TFLBNN_INLINE uint32_t Less32(const int8_t* a, int8_t b) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(b), v)));
  }
};

}  // namespace
}  // namespace tflbnn
