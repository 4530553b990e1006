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
#pragma once

#include <type_traits>

#include "core/bconv2d/kernel.h"
#include "core/epilogue/generic.h"
#include "core/simd/for.h"

namespace tflbnn {
namespace {

template <class V, class = void>
struct HasCountTile : std::false_type {};
template <class V>
struct HasCountTile<V, std::void_t<decltype(&V::CountTile)>> : std::true_type {};

template <class V>
struct BConv2DGeneric {
  using F = typename V::F;
  using I = typename V::I;
  static constexpr int kVectors = kBlockChannels / V::kLanes;  // float or int32 vectors in a block
  static constexpr int kA = V::kAccumulators;
  using E = EpilogueGeneric<V>;

  struct Pixel {
    size_t index;               // in the output
    const int32_t* correction;  // [block][32] or null
    bool inside;                // of the tile's first pixel: the pointers are to first taps only
  };

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

  // Where `inside`, pointers[pixel] is the first tap; else pointers[tap][pixel] are all.
  template <int P, int G>
  static TFLBNN_INLINE void Count(const BConv2DJob& job, const uint32_t* const* pointers,
                                  bool inside, const uint8_t* w, ptrdiff_t first,
                                  typename V::Accumulator* counts) {
    const ptrdiff_t words = job.words;
    const size_t block_bytes = job.block_bytes;
    int room = V::kWordsPerFlush;
    const auto tap = [&](const uint32_t* const* x, ptrdiff_t from) TFLBNN_LAMBDA {
      for (const ptrdiff_t end = from + words; from != end; ++from) {
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
    For<G>([&](auto g)
               TFLBNN_LAMBDA { Store<P, G, g.value>(job, pixels, block + g.value, counts); });
  }

  // BConv2DTransform (params.h), then the output's format.
  template <int P, int G, int g>
  static TFLBNN_INLINE void Store(const BConv2DJob& job, const Pixel* pixels, int block,
                                  const typename V::Accumulator* counts) {
    const ptrdiff_t lane0 = static_cast<ptrdiff_t>(block) * kBlockChannels;
    const int channel = job.blocks[block].channel, lanes = job.blocks[block].lanes;
    I d[P][kVectors];
    For<P>([&](auto p) TFLBNN_LAMBDA {
      V::Finish(counts + (p.value * G + g) * kA, d[p.value]);
      if (const int32_t* correction = pixels[p.value].correction) {
        For<kVectors>([&](auto i) TFLBNN_LAMBDA {
          d[p.value][i.value] =
              V::AddI(d[p.value][i.value], V::LoadI(correction + lane0 + i.value * V::kLanes));
        });
      }
    });
    if (job.output_type == BConv2DOutput::kBits) {
      I threshold[kVectors];
      For<kVectors>([&](auto i) TFLBNN_LAMBDA {
        threshold[i.value] = V::LoadI(job.threshold + lane0 + i.value * V::kLanes);
      });
      uint32_t* const out = static_cast<uint32_t*>(job.output) + channel / 32;
      For<P>([&](auto p) TFLBNN_LAMBDA {
        E::StoreBits(out + static_cast<ptrdiff_t>(pixels[p.value].index) * job.output_pitch,
                     V::Greater32(d[p.value], threshold), channel % 32, lanes);
      });
      return;
    }
    if (job.clamp) {
      const I low = V::SetI(job.low), high = V::SetI(job.high);
      For<P>([&](auto p) TFLBNN_LAMBDA {
        For<kVectors>([&](auto i) TFLBNN_LAMBDA {
          d[p.value][i.value] = V::MaxI(V::MinI(d[p.value][i.value], high), low);
        });
      });
    }
    const float* const multiplier = job.multiplier + lane0;
    const float* const bias = job.bias + lane0;
    F y[P][kVectors];
    ptrdiff_t index[P];
    For<P>([&](auto p) TFLBNN_LAMBDA {
      index[p.value] = static_cast<ptrdiff_t>(pixels[p.value].index);
      For<kVectors>([&](auto i) TFLBNN_LAMBDA {
        y[p.value][i.value] = V::Add(
            V::Mul(V::ToFloat(d[p.value][i.value]), V::LoadF(multiplier + i.value * V::kLanes)),
            V::LoadF(bias + i.value * V::kLanes));
      });
    });
    if (job.output_type == BConv2DOutput::kFloat32) {
      E::template Run<P>(job.stages, job.stage_count, index, channel, lanes, y);
      return;
    }
    For<P>([&](auto p) TFLBNN_LAMBDA {
      StoreInt8(static_cast<int8_t*>(job.output) + index[p.value] * job.output_pitch + channel,
                y[p.value], lanes);
    });
  }

  // Rounds half away from zero, saturates; NaN becomes -128.
  static TFLBNN_INLINE void StoreInt8(int8_t* out, const F* y, int lanes) {
    float value[kBlockChannels];
    For<kVectors>([&](auto i)
                      TFLBNN_LAMBDA { V::StoreF(value + i.value * V::kLanes, y[i.value]); });
    for (int i = 0; i < lanes; ++i) {
      float v = value[i] > -128.f ? value[i] : -128.f;
      v = v < 127.f ? v : 127.f;
      int32_t rounded = static_cast<int32_t>(v);
      const float rest = v - static_cast<float>(rounded);  // exact
      rounded += (rest >= .5f) - (rest <= -.5f);
      out[i] = static_cast<int8_t>(rounded);
    }
  }

  template <int P, int G>
  static TFLBNN_INLINE void Tiles(const BConv2DJob& job, const uint32_t* const* pointers,
                                  const Pixel* pixels, int count, int block) {
    while (count >= P) {
      Tile<P, G>(job, pointers, pixels, block);
      pointers += static_cast<ptrdiff_t>(job.taps) * P;
      pixels += P;
      count -= P;
    }
    if constexpr (P > 1) {
      if (count > 0) Tiles<P - 1, G>(job, pointers, pixels, count, block);
    }
  }

  // The pixels of a tile follow each other.
  struct Position {
    ptrdiff_t image, y, x;
    TFLBNN_INLINE void Next(const BConv2DJob& job) {
      if (++x < job.output_width) return;
      x = 0;
      if (++y < job.output_height) return;
      y = 0;
      ++image;
    }
  };
  static TFLBNN_INLINE const uint32_t* Corner(const BConv2DJob& job, const Position& at) {
    return job.input + at.image * job.image_words +
           static_cast<ptrdiff_t>(at.y * job.stride_height - job.pad_top) * job.row_words +
           static_cast<ptrdiff_t>(at.x * job.stride_width - job.pad_left) * job.pixel_words;
  }
  static void Point(const BConv2DJob& job, const uint32_t** pointers, Pixel* pixel, int count,
                    size_t index, Position* at) {
    const Position first = *at;
    int32_t outside = 0;
    for (int p = 0; p < count; ++p, at->Next(job)) {
      pixel[p].index = index + static_cast<size_t>(p);
      pixel[p].correction = nullptr;
      pointers[p] = Corner(job, *at);
      if (!job.row_class) continue;
      const int32_t row = job.row_class[at->y], column = job.column_class[at->x];
      if ((row | column) == 0) continue;
      outside = 1;
      if (job.correction) {
        pixel[p].correction =
            job.correction + (static_cast<ptrdiff_t>(row) * job.column_classes + column) *
                                 job.block_count * kBlockChannels;
      }
    }
    pixel[0].inside = !outside && !HasCountTile<V>::value;
    if (pixel[0].inside) return;
    *at = first;
    for (int p = 0; p < count; ++p, at->Next(job)) {
      const int64_t y0 = at->y * job.stride_height - job.pad_top,
                    x0 = at->x * job.stride_width - job.pad_left;
      const uint32_t* const image = job.input + at->image * job.image_words;
      ptrdiff_t t = p;
      for (int fy = 0; fy < job.filter_height; ++fy) {
        const int64_t y = y0 + fy * job.dilation_height;
        const bool row_inside = y >= 0 && y < job.input_height;
        for (int fx = 0; fx < job.filter_width; ++fx, t += count) {
          const int64_t x = x0 + fx * job.dilation_width;
          pointers[t] = row_inside && x >= 0 && x < job.input_width
                            ? image + static_cast<ptrdiff_t>(y) * job.row_words +
                                  static_cast<ptrdiff_t>(x) * job.pixel_words
                            : job.zeros;
        }
      }
    }
  }

  static void Run(const BConv2DJob& job, const uint32_t** pointers, size_t first, size_t last) {
    constexpr int kPixels = V::kTilePixels;
    Pixel pixels[kPixels * kMaxTilesPerBatch];
    const size_t row = static_cast<size_t>(job.output_width),
                 image = row * static_cast<size_t>(job.output_height);
    Position at{static_cast<ptrdiff_t>(first / image), static_cast<ptrdiff_t>(first % image / row),
                static_cast<ptrdiff_t>(first % row)};
    while (first < last) {
      const size_t left = last - first;
      const int count = left < static_cast<size_t>(job.pointer_pixels) ? static_cast<int>(left)
                                                                       : job.pointer_pixels;
      for (int p = 0; p < count; p += kPixels) {
        const int tile = count - p < kPixels ? count - p : kPixels;
        Point(job, pointers + static_cast<ptrdiff_t>(p) * job.taps, pixels + p, tile,
              first + static_cast<size_t>(p), &at);
      }
      int block = 0;
      while (block < job.block_count) {
        if (V::kTileBlocks > 1 && block + V::kTileBlocks <= job.block_count &&
            job.blocks[block].input_word == job.blocks[block + V::kTileBlocks - 1].input_word) {
          Tiles<kPixels, V::kTileBlocks>(job, pointers, pixels, count, block);
          block += V::kTileBlocks;
        } else {
          Tiles<kPixels, 1>(job, pointers, pixels, count, block);
          ++block;
        }
      }
      first += static_cast<size_t>(count);
    }
  }
};

}  // namespace
}  // namespace tflbnn
