// AVX2 has no popcount. A table of 16 bytes that depends on four bits of an activation holds
// popcount(i ^ bits) for i = 0..15; with the weights' nibbles as indices, one pshufb is the xor and
// the popcount of 4 bits of 32 channels. Two pixels share it: the table's bytes hold the count of
// one in their low and that of the other in their high nibble, so there is one table for every two
// nibbles, 256 in all, and a pshufb takes 256 products.
//
// Three such bytes are added before a nibble could overflow, then
//
//   low += sum & 0x0F             in bytes: the counts of the first pixel
//   high += sum >> 4              in 16 bits: the second one's, but each upper byte's low nibble
//                                 comes into the lower byte; `low` tells how much to take off again
//
// for 63 nibbles at most.
#include "core/bconv2d/pixels.h"
#include "core/bconv2d/store.h"
#include "core/simd/avx2.h"

namespace tflbnn {
namespace {

struct Tables {
  alignas(32) uint8_t table[257][16];  // the last one is for what lies past a sum's end: zeros
};

constexpr int Popcount4(int v) { return (v & 1) + (v >> 1 & 1) + (v >> 2 & 1) + (v >> 3 & 1); }

constexpr Tables MakeTables() {
  Tables tables{};
  for (int x = 0; x < 256; ++x) {
    for (int i = 0; i < 16; ++i) {
      tables.table[x][i] =
          static_cast<uint8_t>(Popcount4((x >> 4) ^ i) + 16 * Popcount4((x & 15) ^ i));
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();
constexpr uint16_t kZeros = 2 * 256;  // tables are numbered in steps of 2, that of an address is 8

constexpr int kTilePixels = 4;
constexpr int kTurnsPerFlush = 21, kStepsPerTurn = 3;  // 63 nibbles of up to 4 fill a byte
constexpr int kFlushesPerPart = 65535 / 255;           // and so many bytes 16 bits

struct Avx2BConv2D : Avx2 {
  using Store = BConv2DStore<Avx2>;

  // For each nibble of the word: channels 0 and 16, 1 and 17, and so on.
  static void Pack(uint8_t* packed, const uint32_t* lanes) {
    for (int nibble = 0; nibble < 8; ++nibble) {
      for (int lane = 0; lane < 32; ++lane) {
        packed[32 * nibble + lane % 16 * 2 + lane / 16] =
            static_cast<uint8_t>(lanes[lane] >> (4 * nibble) & 15);
      }
    }
  }

  // The numbers of the tables for two pixels, nibble after nibble.
  static void Gather(const BConv2DJob& job, const uint32_t* const* pointers, bool inside,
                     int pixels, ptrdiff_t first, uint16_t* numbers) {
    const __m128i nibbles = _mm_set1_epi8(15), factors = _mm_set1_epi16(0x2002);
    const auto split = [&](__m128i a, __m128i b, __m128i* even, __m128i* odd) TFLBNN_LAMBDA {
      const __m128i both = _mm_unpacklo_epi8(b, a);
      *even = _mm_maddubs_epi16(_mm_and_si128(both, nibbles), factors);
      *odd = _mm_maddubs_epi16(_mm_and_si128(_mm_srli_epi16(both, 4), nibbles), factors);
    };
    const auto store = [&](__m128i n) TFLBNN_LAMBDA {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(numbers), n);
      numbers += 8;
    };
    for (int tap = 0; tap < job.taps; ++tap, pointers += inside ? 0 : pixels) {
      const ptrdiff_t offset = first + (inside ? job.tap_offset[tap] : 0);
      const uint32_t *a = pointers[0] + offset, *b = pointers[pixels - 1] + offset;
      __m128i even, odd;
      int word = 0;
      for (; word + 2 <= job.words; word += 2) {
        split(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(a + word)),
              _mm_loadl_epi64(reinterpret_cast<const __m128i*>(b + word)), &even, &odd);
        store(_mm_unpacklo_epi16(even, odd));
        store(_mm_unpackhi_epi16(even, odd));
      }
      if (word < job.words) {
        split(_mm_cvtsi32_si128(static_cast<int>(a[word])),
              _mm_cvtsi32_si128(static_cast<int>(b[word])), &even, &odd);
        store(_mm_unpacklo_epi16(even, odd));
      }
    }
    store(_mm_set1_epi16(kZeros));
  }

  // Counts of 16 channels of a pixel in each: the first pixel's 0..15 and 16..31, the second one's.
  struct Totals {
    __m256i part[4];
  };

  // `turns` times three nibbles of Q pairs of pixels and G blocks of channels.
  template <int Q, int G>
  static TFLBNN_INLINE void Count(const uint16_t* numbers, ptrdiff_t pitch, const uint8_t* weights,
                                  size_t block_bytes, ptrdiff_t turns, Totals* totals) {
    const __m256i nibbles = _mm256_set1_epi8(15), bytes = _mm256_set1_epi16(255);
    For<Q * G>([&](auto i) TFLBNN_LAMBDA {
      For<4>([&](auto k) TFLBNN_LAMBDA { totals[i.value].part[k.value] = _mm256_setzero_si256(); });
    });
    while (turns > 0) {
      ptrdiff_t n = turns < kTurnsPerFlush ? turns : kTurnsPerFlush;
      turns -= n;
      __m256i low[Q * G], high[Q * G];
      const uint8_t* w[G];
      For<G>([&](auto g) TFLBNN_LAMBDA {
        w[g.value] = weights + g.value * block_bytes;
        asm(""
            : "+r"(w[g.value]));  // a register each: an index would cost an instruction each time
      });
      weights += n * kStepsPerTurn * 32;
      For<Q * G>([&](auto i)
                     TFLBNN_LAMBDA { low[i.value] = high[i.value] = _mm256_setzero_si256(); });
      do {
        __m256i sum[Q * G];
        For<kStepsPerTurn>([&](auto step) TFLBNN_LAMBDA {
          For<Q>([&](auto q) TFLBNN_LAMBDA {
            const size_t number = numbers[q.value * pitch + step.value];
            const __m256i table =
                _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(
                    reinterpret_cast<const uint8_t*>(kTables.table) + 8 * number)));
            For<G>([&](auto g) TFLBNN_LAMBDA {
              __m256i& s = sum[q.value * G + g.value];
              const __m256i counts = _mm256_shuffle_epi8(
                  table, _mm256_load_si256(
                             reinterpret_cast<const __m256i*>(w[g.value] + 32 * step.value)));
              s = step.value == 0 ? counts : _mm256_add_epi8(s, counts);
              asm("" : "+x"(s));  // keeps GCC from delaying additions and spilling
            });
          });
        });
        For<Q * G>([&](auto i) TFLBNN_LAMBDA {
          low[i.value] = _mm256_add_epi8(low[i.value], _mm256_and_si256(sum[i.value], nibbles));
          high[i.value] = _mm256_add_epi16(high[i.value], _mm256_srli_epi16(sum[i.value], 4));
          asm("" : "+x"(low[i.value]), "+x"(high[i.value]));
        });
        numbers += kStepsPerTurn;
        For<G>([&](auto g) TFLBNN_LAMBDA { w[g.value] += 32 * kStepsPerTurn; });
      } while (--n > 0);
      For<Q * G>([&](auto i) TFLBNN_LAMBDA {
        const __m256i upper = _mm256_srli_epi16(low[i.value], 8);
        const __m256i second = _mm256_sub_epi16(high[i.value], _mm256_slli_epi16(upper, 4));
        const auto add = [&](int k, __m256i n) TFLBNN_LAMBDA {
          totals[i.value].part[k] = _mm256_add_epi16(totals[i.value].part[k], n);
        };
        add(0, _mm256_and_si256(low[i.value], bytes));
        add(1, upper);
        add(2, _mm256_and_si256(second, bytes));
        add(3, _mm256_srli_epi16(second, 8));
      });
    }
  }

  template <int Q, int G>
  static __attribute__((noinline)) void Tile(const BConv2DJob& job, const uint16_t* numbers,
                                             ptrdiff_t pitch, const Pixel* pixels, int count,
                                             int block) {
    const uint8_t* weights = job.weights + static_cast<size_t>(block) * job.block_bytes;
    ptrdiff_t turns = Turns(job);
    I doubled[Q * G][2][4];
    constexpr ptrdiff_t kPart = kTurnsPerFlush * kFlushesPerPart;
    for (bool first = true; first || turns > 0; first = false) {
      Totals totals[Q * G];
      Count<Q, G>(numbers, pitch, weights, job.block_bytes, turns < kPart ? turns : kPart, totals);
      For<Q * G * 4>([&](auto i) TFLBNN_LAMBDA {
        constexpr int tile = i.value / 4, part = i.value % 4;
        I* const d = doubled[tile][part / 2] + part % 2 * 2;
        const __m256i n = totals[tile].part[part];
        const I low = _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(n)), 1);
        const I high = _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(n, 1)), 1);
        d[0] = first ? low : _mm256_add_epi32(d[0], low);
        d[1] = first ? high : _mm256_add_epi32(d[1], high);
      });
      turns -= kPart;
      numbers += kPart * kStepsPerTurn;
      weights += kPart * kStepsPerTurn * 32;
    }
    For<Q * G>([&](auto i) TFLBNN_LAMBDA {
      constexpr int q = i.value / G, g = i.value % G;
      if (count >= 2 * q + 2) {
        Store::Run<2>(job, pixels + 2 * q, block + g, doubled[i.value]);
      } else {
        Store::Run<1>(job, pixels + 2 * q, block + g, doubled[i.value]);
      }
    });
  }

  static TFLBNN_INLINE ptrdiff_t Turns(const BConv2DJob& job) {
    return (static_cast<ptrdiff_t>(job.taps) * job.words * 8 + kStepsPerTurn - 1) / kStepsPerTurn;
  }

  template <int G>
  static void Tiles(const BConv2DJob& job, const uint16_t* numbers, ptrdiff_t pitch,
                    const Pixel* pixels, int count, int block) {
    for (; count > 2; count -= kTilePixels, pixels += kTilePixels, numbers += 2 * pitch)
      Tile<2, G>(job, numbers, pitch, pixels, count, block);
    if (count > 0) Tile<1, G>(job, numbers, pitch, pixels, count, block);
  }

  static void Run(const BConv2DJob& job, const uint32_t** pointers, size_t first, size_t last) {
    Pixel pixels[kTilePixels * kMaxTilesPerBatch];
    auto* const numbers =
        reinterpret_cast<uint16_t*>(pointers + ptrdiff_t{job.taps} * job.pointer_pixels);
    const ptrdiff_t pitch = ptrdiff_t{job.taps} * job.words * 8 + 8;
    Position at = PositionOf(job, first);
    while (first < last) {
      const size_t left = last - first;
      const int count = left < static_cast<size_t>(job.pointer_pixels) ? static_cast<int>(left)
                                                                       : job.pointer_pixels;
      for (int p = 0; p < count; p += 2) {
        Point(job, /*first_taps=*/true, pointers + ptrdiff_t{job.taps} * p, pixels + p,
              count - p < 2 ? 1 : 2, first + static_cast<size_t>(p), &at);
      }
      int gathered = -1;
      for (int block = job.first_block; block < job.last_block;) {
        const int input_word = job.blocks[block].input_word;
        for (int p = 0; p < count && gathered != input_word; p += 2) {
          Gather(job, pointers + ptrdiff_t{job.taps} * p, pixels[p].inside, count - p < 2 ? 1 : 2,
                 input_word, numbers + p / 2 * pitch);
        }
        gathered = input_word;
        if (block + 1 < job.last_block && job.blocks[block + 1].input_word == input_word) {
          Tiles<2>(job, numbers, pitch, pixels, count, block);
          block += 2;
        } else {
          Tiles<1>(job, numbers, pitch, pixels, count, block);
          ++block;
        }
      }
      first += static_cast<size_t>(count);
    }
  }
};

}  // namespace

const BConv2DKernel& BConv2DAvx2() {
  static const BConv2DKernel kernel = {"avx2",
                                       BConv2DInput::kPadded,
                                       kTilePixels,
                                       /*word_bytes=*/256,
                                       /*gathered_word_bytes=*/8,
                                       Avx2BConv2D::Pack,
                                       Avx2BConv2D::Run};
  return kernel;
}

}  // namespace tflbnn
