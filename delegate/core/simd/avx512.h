// 32 channels as two 512-bit vectors.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "core/simd/for.h"

namespace tflbnn {
namespace {

struct Avx512 {
  static constexpr int kLanes = 16;
  using F = __m512;
  using I = __m512i;
  static TFLBNN_INLINE F LoadF(const float* p) { return _mm512_loadu_ps(p); }
  static TFLBNN_INLINE void StoreF(float* p, F v) { _mm512_storeu_ps(p, v); }
  static TFLBNN_INLINE void StorePartialF(float* p, F v, int n) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
  }
  static TFLBNN_INLINE F LoadPartialF(const float* p, int n) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
  }
  static TFLBNN_INLINE F ZeroF() { return _mm512_setzero_ps(); }
  static TFLBNN_INLINE F Add(F a, F b) { return _mm512_add_ps(a, b); }
  static TFLBNN_INLINE F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
  // a * b + c, rounded once.
  static TFLBNN_INLINE F MulAdd(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static TFLBNN_INLINE F SetF(float v) { return _mm512_set1_ps(v); }
  // b where either is NaN.
  static TFLBNN_INLINE F Max(F a, F b) { return _mm512_max_ps(a, b); }
  static TFLBNN_INLINE F Min(F a, F b) { return _mm512_min_ps(a, b); }
  // a < 0 ? a * b : a
  static TFLBNN_INLINE F ScaleNegative(F a, F b) {
    return _mm512_mask_mul_ps(a, _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_LT_OQ), a, b);
  }
  static TFLBNN_INLINE F Xor(F a, I b) {
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), b));
  }
  static TFLBNN_INLINE F ToFloat(I a) { return _mm512_cvtepi32_ps(a); }
  static TFLBNN_INLINE I SetI(int32_t v) { return _mm512_set1_epi32(v); }
  static TFLBNN_INLINE I LoadI(const int32_t* p) { return _mm512_loadu_si512(p); }
  static TFLBNN_INLINE I AddI(I a, I b) { return _mm512_add_epi32(a, b); }
  static TFLBNN_INLINE I MaxI(I a, I b) { return _mm512_max_epi32(a, b); }
  static TFLBNN_INLINE I MinI(I a, I b) { return _mm512_min_epi32(a, b); }
  // Bit i is set where a[i] < b[i] (false for NaN), over 32 lanes.
  static TFLBNN_INLINE uint32_t Less32(const F* a, const F* b) {
    return _mm512_kunpackw(_mm512_cmp_ps_mask(a[1], b[1], _CMP_LT_OQ),
                           _mm512_cmp_ps_mask(a[0], b[0], _CMP_LT_OQ));
  }
  static TFLBNN_INLINE uint32_t Greater32(const I* a, const I* b) {
    return _mm512_kunpackw(_mm512_cmpgt_epi32_mask(a[1], b[1]),
                           _mm512_cmpgt_epi32_mask(a[0], b[0]));
  }
  static TFLBNN_INLINE uint32_t Less32(const int8_t* a, int8_t b) {
    return _mm256_cmplt_epi8_mask(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)),
                                  _mm256_set1_epi8(b));
  }
};

}  // namespace
}  // namespace tflbnn
