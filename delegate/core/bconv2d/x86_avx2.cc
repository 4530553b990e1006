// AVX2 has no popcount. A byte of activations chooses one of 256 constant rows: its low half holds
// popcount(i ^ low nibble) for i = 0..15, its high half the same for the high nibble. With the
// weights' nibbles as indices, one pshufb is the xor and the popcount of 8 bits of 16 channels: 128
// products, and one addition of bytes.
#include "core/bconv2d/generic.h"
#include "core/simd/avx2.h"

namespace tflbnn {
namespace {

struct Rows {
  alignas(32) uint8_t row[256][32];
};

constexpr Rows MakeRows() {
  Rows rows{};
  for (int x = 0; x < 256; ++x) {
    for (int i = 0; i < 32; ++i) {
      const int v = (i < 16 ? x & 15 : x >> 4) ^ (i & 15);
      rows.row[x][i] = static_cast<uint8_t>((v & 1) + (v >> 1 & 1) + (v >> 2 & 1) + (v >> 3 & 1));
    }
  }
  return rows;
}

constexpr Rows kRows = MakeRows();

// Counts of 16 channels: in bytes (one half of the vector for each nibble), 7 words long; then in
// 16 bits, or in 32 where a count may pass 65,535.
template <bool kWide>
struct Counts;
template <>
struct Counts<false> {
  __m256i bytes, total;
  TFLBNN_INLINE void Zero() { bytes = total = _mm256_setzero_si256(); }
  TFLBNN_INLINE void Add(__m128i n) { total = _mm256_add_epi16(total, _mm256_cvtepu8_epi16(n)); }
  TFLBNN_INLINE void Doubled(__m256i* d) const {
    d[0] = _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(total)), 1);
    d[1] = _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(total, 1)), 1);
  }
};
template <>
struct Counts<true> {
  __m256i bytes, low, high;
  TFLBNN_INLINE void Zero() { bytes = low = high = _mm256_setzero_si256(); }
  TFLBNN_INLINE void Add(__m128i n) {
    low = _mm256_add_epi32(low, _mm256_cvtepu8_epi32(n));
    high = _mm256_add_epi32(high, _mm256_cvtepu8_epi32(_mm_srli_si128(n, 8)));
  }
  TFLBNN_INLINE void Doubled(__m256i* d) const {
    d[0] = _mm256_slli_epi32(low, 1);
    d[1] = _mm256_slli_epi32(high, 1);
  }
};

template <bool kWide>
struct Avx2BConv2D : Avx2 {
  static constexpr int kTilePixels = 3, kTileBlocks = 2, kAccumulators = 2, kSteps = 4;
  static constexpr int kWordsPerFlush =
      7;  // a byte gains up to 4 a step, 16 a word, and two of them 7 * 32 <= 255
  static constexpr size_t kWordBytes = 256;
  using Accumulator = Counts<kWide>;
  using Weights = const __m256i*;
  static TFLBNN_INLINE void Zero(Accumulator& a) { a.Zero(); }
  static TFLBNN_INLINE __m256i Broadcast(const uint32_t* x, int step) {
    const uint8_t byte = reinterpret_cast<const uint8_t*>(x)[step];
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(kRows.row[byte]));
  }
  static TFLBNN_INLINE Weights LoadWeights(const uint8_t* w, int step, int a) {
    return reinterpret_cast<const __m256i*>(w + 64 * step + 32 * a);
  }
  static TFLBNN_INLINE void Accumulate(Accumulator& a, __m256i row, Weights w) {
    a.bytes = _mm256_add_epi8(a.bytes, _mm256_shuffle_epi8(row, _mm256_load_si256(w)));
    asm(""
        : "+x"(a.bytes));  // keeps GCC from delaying the additions and spilling what they wait for
  }
  static TFLBNN_INLINE void Flush(Accumulator& a) {
    a.Add(_mm_add_epi8(_mm256_castsi256_si128(a.bytes), _mm256_extracti128_si256(a.bytes, 1)));
    a.bytes = _mm256_setzero_si256();
  }
  static TFLBNN_INLINE void Finish(const Accumulator* a, I* doubled) {
    a[0].Doubled(doubled);
    a[1].Doubled(doubled + 2);
  }
  // For each byte of the word: 16 low nibbles and 16 high nibbles of channels 0..15, then
  // of 16..31.
  static void Pack(uint8_t* packed, const uint32_t* lanes) {
    for (int step = 0; step < 4; ++step) {
      for (int lane = 0; lane < 32; ++lane) {
        const uint32_t byte = lanes[lane] >> (8 * step) & 255;
        uint8_t* const half = packed + 64 * step + 32 * (lane / 16) + lane % 16;
        half[0] = static_cast<uint8_t>(byte & 15);
        half[16] = static_cast<uint8_t>(byte >> 4);
      }
    }
  }
  static void Run(const BConv2DJob& job, const uint32_t** pointers, size_t first, size_t last) {
    if (job.wide) {
      BConv2DGeneric<Avx2BConv2D<true>>::Run(job, pointers, first, last);
    } else {
      BConv2DGeneric<Avx2BConv2D<false>>::Run(job, pointers, first, last);
    }
  }
};

}  // namespace

const BConv2DKernel& BConv2DAvx2() {
  using V = Avx2BConv2D<false>;
  static const BConv2DKernel kernel = {"avx2",        /*pairs=*/false, V::kTilePixels,
                                       V::kWordBytes, V::Pack,         V::Run};
  return kernel;
}

}  // namespace tflbnn
