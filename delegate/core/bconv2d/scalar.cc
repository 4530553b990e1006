// Any processor: counts in the bytes of 64-bit words (two channels in each), 31 words long, then in
// integers.
#include "core/simd/scalar.h"

#include "core/bconv2d/generic.h"

namespace tflbnn {
namespace {

struct ScalarBConv2D : Scalar {
  static constexpr int kTilePixels = 1, kTileBlocks = 1, kAccumulators = 1, kSteps = 1;
  static constexpr int kWordsPerFlush = 31;  // a byte gains up to 8 a word, and 31 * 8 <= 255
  static constexpr size_t kWordBytes = 128;
  struct Accumulator {
    uint64_t bytes[16];
    int32_t total[32];
  };
  using Weights = const uint8_t*;
  static TFLBNN_INLINE void Zero(Accumulator& a) { a = Accumulator(); }
  static TFLBNN_INLINE uint64_t Broadcast(const uint32_t* x, int) { return *x * 0x100000001ull; }
  static TFLBNN_INLINE Weights LoadWeights(const uint8_t* w, int, int) { return w; }
  // The bits of each byte, added up in pairs, then fours, then eight.
  static TFLBNN_INLINE void Accumulate(Accumulator& a, uint64_t x, Weights w) {
    for (int i = 0; i < 16; ++i) {
      uint64_t v;
      memcpy(&v, w + 8 * i, 8);
      v ^= x;
      v -= (v >> 1) & 0x5555555555555555ull;
      v = (v & 0x3333333333333333ull) + ((v >> 2) & 0x3333333333333333ull);
      a.bytes[i] += (v + (v >> 4)) & 0x0F0F0F0F0F0F0F0Full;
    }
  }
  static TFLBNN_INLINE void Flush(Accumulator& a) {
    for (int i = 0; i < 16; ++i) {
      const uint64_t pairs =
          (a.bytes[i] & 0x00FF00FF00FF00FFull) + ((a.bytes[i] >> 8) & 0x00FF00FF00FF00FFull);
      const uint64_t sums = (pairs + (pairs >> 16)) & 0x0000FFFF0000FFFFull;
      a.total[2 * i] += static_cast<int32_t>(sums & 0xFFFF);
      a.total[2 * i + 1] += static_cast<int32_t>(sums >> 32);
      a.bytes[i] = 0;
    }
  }
  static TFLBNN_INLINE void Finish(const Accumulator* a, I* doubled) {
    for (int i = 0; i < 32; ++i) doubled[i] = 2 * a->total[i];
  }
  static void Pack(uint8_t* packed, const uint32_t* lanes) { memcpy(packed, lanes, kWordBytes); }
};

}  // namespace

const BConv2DKernel& BConv2DScalar() {
  using V = ScalarBConv2D;
  static const BConv2DKernel kernel = {
      "scalar", BConv2DInput::kPlain,  V::kTilePixels, V::kWordBytes, /*gathered_word_bytes=*/0,
      V::Pack,  BConv2DGeneric<V>::Run};
  return kernel;
}

}  // namespace tflbnn
