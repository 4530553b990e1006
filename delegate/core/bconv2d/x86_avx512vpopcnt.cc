// AVX-512 with VPOPCNTDQ: a lane is a channel's 32-bit counter. Xor, popcnt and add take 512
// products in three instructions on two pipes. A full adder of two words and a carried bit takes
// 1,024 in five: with a and b the products and c the bit carried so far (of each bit position),
//
//   sum = a ^ b ^ c                    one vpternlog: a ^ b = (x ^ x') ^ (w ^ w') comes prepared
//   a = x ^ w
//   carry = majority(a, b, c) = (sum ^ c) ? c : a         one vpternlog
//   twos += popcnt(carry)
//
// and popcnt(sum) is counted once, after the last word.
#include "core/bconv2d/generic.h"
#include "core/simd/avx512.h"

namespace tflbnn {
namespace {

struct Avx512Base : Avx512 {
  static constexpr int kTilePixels = 6, kTileBlocks = 1, kAccumulators = 2, kSteps = 1,
                       kWordsPerFlush = 0;
  static constexpr size_t kWordBytes = 128;
  using Weights = __m512i;
  static TFLBNN_INLINE __m512i Broadcast(const uint32_t* x, int) {
    return _mm512_set1_epi32(static_cast<int>(*x));
  }
  static TFLBNN_INLINE Weights LoadWeights(const uint8_t* w, int, int a) {
    return _mm512_load_si512(w + 64 * a);
  }
  static void Pack(uint8_t* packed, const uint32_t* lanes) {
    __builtin_memcpy(packed, lanes, kWordBytes);
  }
};

// For taps of a single word.
struct Avx512Words : Avx512Base {
  using Accumulator = __m512i;
  static TFLBNN_INLINE void Zero(Accumulator& a) { a = _mm512_setzero_si512(); }
  static TFLBNN_INLINE void Accumulate(Accumulator& a, __m512i x, Weights w) {
    a = _mm512_add_epi32(a, _mm512_popcnt_epi32(_mm512_xor_si512(w, x)));
  }
  static TFLBNN_INLINE void Finish(const Accumulator* a, I* doubled) {
    For<2>([&](auto i)
               TFLBNN_LAMBDA { doubled[i.value] = _mm512_add_epi32(a[i.value], a[i.value]); });
  }
};

struct Avx512Pairs : Avx512Base {
  static constexpr bool kPairs = true;
  struct Accumulator {
    __m512i twos, carried;
  };
  static TFLBNN_INLINE void Zero(Accumulator& a) { a.twos = a.carried = _mm512_setzero_si512(); }
  static TFLBNN_INLINE void AccumulatePair(Accumulator& a, __m512i x, __m512i x_both, Weights w,
                                           Weights w_both) {
    constexpr int kXor = 0x96, kSelect = 0xD4;  // of three; (2nd ^ 3rd) ? 2nd : 1st
    // In place, as GCC by itself would make three copies instead of one.
    __m512i before;
    asm("vmovdqa64 %0, %1\n vpternlogd %4, %3, %2, %0"
        : "+v"(a.carried), "=&v"(before)
        : "v"(w_both), "v"(x_both), "i"(kXor));
    const __m512i carry =
        _mm512_ternarylogic_epi32(_mm512_xor_si512(w, x), before, a.carried, kSelect);
    a.twos = _mm512_add_epi32(a.twos, _mm512_popcnt_epi32(carry));
  }
  // The last word of an odd number.
  static TFLBNN_INLINE void Accumulate(Accumulator& a, __m512i x, Weights w) {
    const __m512i product = _mm512_xor_si512(w, x);
    a.twos = _mm512_add_epi32(a.twos, _mm512_popcnt_epi32(_mm512_and_si512(a.carried, product)));
    a.carried = _mm512_xor_si512(a.carried, product);
  }
  static TFLBNN_INLINE void Finish(const Accumulator* a, I* doubled) {
    For<2>([&](auto i) TFLBNN_LAMBDA {
      const Accumulator& counts = a[i.value];
      const __m512i count =
          _mm512_add_epi32(_mm512_popcnt_epi32(counts.carried), _mm512_slli_epi32(counts.twos, 1));
      doubled[i.value] = _mm512_add_epi32(count, count);
    });
  }
};

void Run(const BConv2DJob& job, const uint32_t** pointers, size_t first, size_t last) {
  if (job.words == 1) {
    BConv2DGeneric<Avx512Words>::Run(job, pointers, first, last);
  } else {
    BConv2DGeneric<Avx512Pairs>::Run(job, pointers, first, last);
  }
}

}  // namespace

const BConv2DKernel& BConv2DAvx512Vpopcnt() {
  using V = Avx512Base;
  static const BConv2DKernel kernel = {"avx512",
                                       BConv2DInput::kPairs,
                                       V::kTilePixels,
                                       V::kWordBytes,
                                       /*gathered_word_bytes=*/0,
                                       V::Pack,
                                       Run};
  return kernel;
}

}  // namespace tflbnn
