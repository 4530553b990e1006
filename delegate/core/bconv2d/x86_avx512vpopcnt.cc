// AVX-512 with VPOPCNTDQ: a lane is a channel's 32-bit counter; xor, popcnt and add take 512
// products in three instructions.
#include "core/bconv2d/generic.h"
#include "core/simd/avx512.h"

namespace tflbnn {
namespace {

struct Avx512BConv2D : Avx512 {
  static constexpr int kTilePixels = 6, kTileBlocks = 1, kAccumulators = 2, kSteps = 1,
                       kWordsPerFlush = 0;
  static constexpr size_t kWordBytes = 128;
  using Accumulator = __m512i;
  using Weights = __m512i;
  static TFLBNN_INLINE void Zero(Accumulator& a) { a = _mm512_setzero_si512(); }
  static TFLBNN_INLINE __m512i Broadcast(const uint32_t* x, int) {
    return _mm512_set1_epi32(static_cast<int>(*x));
  }
  static TFLBNN_INLINE Weights LoadWeights(const uint8_t* w, int, int a) {
    return _mm512_load_si512(w + 64 * a);
  }
  static TFLBNN_INLINE void Accumulate(Accumulator& a, __m512i x, Weights w) {
    a = _mm512_add_epi32(a, _mm512_popcnt_epi32(_mm512_xor_si512(w, x)));
  }
  static TFLBNN_INLINE void Flush(Accumulator&) {}
  static TFLBNN_INLINE void Finish(const Accumulator* a, I* doubled) {
    For<2>([&](auto i)
               TFLBNN_LAMBDA { doubled[i.value] = _mm512_add_epi32(a[i.value], a[i.value]); });
  }
  static void Pack(uint8_t* packed, const uint32_t* lanes) {
    __builtin_memcpy(packed, lanes, kWordBytes);
  }
};

}  // namespace

const BConv2DKernel& BConv2DAvx512Vpopcnt() {
  using V = Avx512BConv2D;
  static const BConv2DKernel kernel = {"avx512", V::kTilePixels, V::kWordBytes, V::Pack,
                                       BConv2DGeneric<V>::Run};
  return kernel;
}

}  // namespace tflbnn
