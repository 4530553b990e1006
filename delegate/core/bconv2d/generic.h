// The binary convolution of every instruction set, over a description V of its vectors. Included by
// kernel files only.
//
// A lane is an output channel, so nothing is ever summed across lanes:
//
//   for each batch of pixels whose input stays in the first cache
//     for each block of 32 output channels
//       for each tile of kTilePixels pixels
//         counts = 0
//         for each tap, for each word of 32 input channels
//           w = the word of 32 filters
//           for each pixel of the tile
//             counts[pixel] += popcount(w ^ the pixel's word, in every lane)
//
// A product of signs is -1 where the bits differ, so popcount(x ^ w) counts the products that are
// -1.
//
// V is a simd/ description plus
//   kTilePixels, kTileBlocks    the tile, in pixels and blocks of 32 channels
//   kAccumulators               accumulators that hold the counts of a block
//   kSteps                      steps that consume a word
//   kWordsPerFlush              words after which Flush() must empty narrow counters (0: never)
//   kWordBytes                  of packed weights
//   Accumulator, Zero, Broadcast, Weights, LoadWeights, Accumulate, Flush
//   Finish                      doubled counts of a block's accumulators, as 32 integers
// and, if it wants to count a full tile of one block in a loop of its own,
//   CountTile
// or, if two words together cost less than twice one (see BConv2DInput::kPairs),
//   kPairs = true, AccumulatePair
#pragma once

#include <type_traits>

#include "core/bconv2d/pixels.h"
#include "core/bconv2d/store.h"

namespace tflbnn {
namespace {

template <class V, class = void>
struct HasCountTile : std::false_type {};
template <class V>
struct HasCountTile<V, std::void_t<decltype(&V::CountTile)>> : std::true_type {};

template <class V, class = void>
struct HasPairs : std::false_type {};
template <class V>
struct HasPairs<V, std::enable_if_t<V::kPairs>> : std::true_type {};

template <class V>
struct BConv2DGeneric {
  using Store = BConv2DStore<V>;
  static constexpr int kA = V::kAccumulators;

  template <int P, int G>
  static TFLBNN_INLINE void Word(typename V::Accumulator* counts, const uint32_t* const* x,
                                 ptrdiff_t word, const uint8_t* w, size_t block_bytes) {
    For<V::kSteps>([&](auto step) TFLBNN_LAMBDA {
      typename V::Weights weights[G * kA];
      For<G * kA>([&](auto a) TFLBNN_LAMBDA {
        weights[a.value] =
            V::LoadWeights(w + (a.value / kA) * block_bytes, step.value, a.value % kA);
      });
      For<P>([&](auto p) TFLBNN_LAMBDA {
        const auto bits = V::Broadcast(x[p.value] + word, step.value);
        For<G * kA>([&](auto a) TFLBNN_LAMBDA {
          V::Accumulate(counts[p.value * G * kA + a.value], bits, weights[a.value]);
        });
      });
    });
  }

  // Two words of a tap.
  template <int P, int G>
  static TFLBNN_INLINE void Pair(typename V::Accumulator* counts, const uint32_t* const* x,
                                 ptrdiff_t word, const uint8_t* w, size_t block_bytes) {
    typename V::Weights first[G * kA], both[G * kA];
    For<G * kA>([&](auto a) TFLBNN_LAMBDA {
      const uint8_t* const at = w + (a.value / kA) * block_bytes;
      first[a.value] = V::LoadWeights(at, 0, a.value % kA);
      both[a.value] = V::LoadWeights(at + V::kWordBytes, 0, a.value % kA);
    });
    For<P>([&](auto p) TFLBNN_LAMBDA {
      const auto x_first = V::Broadcast(x[p.value] + word, 0);
      const auto x_both = V::Broadcast(x[p.value] + word + 1, 0);
      For<G * kA>([&](auto a) TFLBNN_LAMBDA {
        V::AccumulatePair(counts[p.value * G * kA + a.value], x_first, x_both, first[a.value],
                          both[a.value]);
      });
    });
  }

  // Where `inside`, pointers[pixel] is the first tap; else pointers[tap][pixel] are all.
  template <int P, int G>
  static TFLBNN_INLINE void Count(const BConv2DJob& job, const uint32_t* const* pointers,
                                  bool inside, const uint8_t* w, ptrdiff_t first,
                                  typename V::Accumulator* counts) {
    const ptrdiff_t words = job.words;
    const size_t block_bytes = job.block_bytes;
    int room = V::kWordsPerFlush;
    const auto tap = [&](const uint32_t* const* x, ptrdiff_t from) TFLBNN_LAMBDA {
      const ptrdiff_t end = from + words;
      if constexpr (HasPairs<V>::value) {
        for (; from + 2 <= end; from += 2) {
          Pair<P, G>(counts, x, from, w, block_bytes);
          w += 2 * V::kWordBytes;
        }
      }
      for (; from != end; ++from) {
        Word<P, G>(counts, x, from, w, block_bytes);
        w += V::kWordBytes;
        if constexpr (V::kWordsPerFlush > 0) {
          if (--room == 0) {
            For<P * G * kA>([&](auto i) TFLBNN_LAMBDA { V::Flush(counts[i.value]); });
            room = V::kWordsPerFlush;
          }
        }
      }
    };
    const uint32_t* x[P];
    if (inside) {
      For<P>([&](auto p) TFLBNN_LAMBDA { x[p.value] = pointers[p.value]; });
      for (int t = 0; t < job.taps; ++t) tap(x, job.tap_offset[t] + first);
    } else {
      for (int t = 0; t < job.taps; ++t, pointers += P) {
        For<P>([&](auto p) TFLBNN_LAMBDA { x[p.value] = pointers[p.value]; });
        tap(x, first);
      }
    }
    if constexpr (V::kWordsPerFlush > 0)
      For<P * G * kA>([&](auto i) TFLBNN_LAMBDA { V::Flush(counts[i.value]); });
  }

  template <int P, int G>
  static __attribute__((noinline)) void Tile(const BConv2DJob& job, const uint32_t* const* pointers,
                                             const Pixel* pixels, int block) {
    typename V::Accumulator counts[P * G * kA];
    For<P * G * kA>([&](auto i) TFLBNN_LAMBDA { V::Zero(counts[i.value]); });
    const uint8_t* const w = job.weights + static_cast<size_t>(block) * job.block_bytes;
    const ptrdiff_t first = job.blocks[block].input_word;
    if constexpr (HasCountTile<V>::value && P == V::kTilePixels && G == 1) {
      V::CountTile(job, pointers, w, first, counts);
    } else {
      Count<P, G>(job, pointers, pixels[0].inside, w, first, counts);
    }
    For<G>([&](auto g) TFLBNN_LAMBDA {
      typename V::I doubled[P][Store::kVectors];
      For<P>([&](auto p) TFLBNN_LAMBDA {
        V::Finish(counts + (p.value * G + g.value) * kA, doubled[p.value]);
      });
      Store::template Run<P>(job, pixels, block + g.value, doubled);
    });
  }

  // The weights of the next blocks, and how many bytes of them to fetch during a tile: the first
  // tile would have to wait for all of them.
  struct Ahead {
    const uint8_t* weights;
    size_t bytes;
  };

  template <int P, int G>
  static TFLBNN_INLINE void Tiles(const BConv2DJob& job, const uint32_t* const* pointers,
                                  const Pixel* pixels, int count, int block, Ahead ahead) {
    while (count >= P) {
      for (size_t i = 0; i < ahead.bytes; i += 64) __builtin_prefetch(ahead.weights + i, 0, 2);
      ahead.weights += ahead.bytes;
      Tile<P, G>(job, pointers, pixels, block);
      pointers += static_cast<ptrdiff_t>(job.taps) * P;
      pixels += P;
      count -= P;
    }
    if constexpr (P > 1) {
      if (count > 0) Tiles<P - 1, G>(job, pointers, pixels, count, block, ahead);
    }
  }

  static void Run(const BConv2DJob& job, const uint32_t** pointers, size_t first, size_t last) {
    constexpr int kPixels = V::kTilePixels;
    Pixel pixels[kPixels * kMaxTilesPerBatch];
    Position at = PositionOf(job, first);
    bool cold = true;
    while (first < last) {
      const size_t left = last - first;
      const int count = left < static_cast<size_t>(job.pointer_pixels) ? static_cast<int>(left)
                                                                       : job.pointer_pixels;
      for (int p = 0; p < count; p += kPixels) {
        const int tile = count - p < kPixels ? count - p : kPixels;
        Point(job, !HasCountTile<V>::value, pointers + static_cast<ptrdiff_t>(p) * job.taps,
              pixels + p, tile, first + static_cast<size_t>(p), &at);
      }
      const size_t tiles = static_cast<size_t>((count + kPixels - 1) / kPixels);
      for (int block = job.first_block, blocks; block < job.last_block; block += blocks) {
        blocks = V::kTileBlocks > 1 && block + V::kTileBlocks <= job.last_block &&
                         job.blocks[block].input_word ==
                             job.blocks[block + V::kTileBlocks - 1].input_word
                     ? V::kTileBlocks
                     : 1;
        const size_t bytes = static_cast<size_t>(blocks) * job.block_bytes;
        const bool fetch = cold && block + 2 * blocks <= job.last_block;
        const Ahead ahead = {job.weights + static_cast<size_t>(block) * job.block_bytes + bytes,
                             fetch ? bytes / tiles : 0};
        if (blocks == V::kTileBlocks) {
          Tiles<kPixels, V::kTileBlocks>(job, pointers, pixels, count, block, ahead);
        } else {
          Tiles<kPixels, 1>(job, pointers, pixels, count, block, ahead);
        }
      }
      cold = false;
      first += static_cast<size_t>(count);
    }
  }
};

}  // namespace
}  // namespace tflbnn
