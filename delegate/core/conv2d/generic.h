// Convolution of floats, for every instruction set that multiplies and adds in one rounding. V is a
// simd/ description.
//
// A sum begins with the bias and takes products one by one: filter row by row, column by column,
// channel by channel, fma(x, w, sum). XNNPACK does the same whatever its tile is, so who computes a
// convolution does not show in its bits. In memory a row of the window is one run of numbers.
// Windows that reach over the image's border are copied, with zeros for the padding.
#pragma once

#include <cstring>

#include "core/conv2d/kernel.h"
#include "core/epilogue/generic.h"

namespace tflbnn {
namespace {

template <class V>
struct Conv2DGeneric {
  using F = typename V::F;
  using E = EpilogueGeneric<V>;
  static constexpr int kVectors = E::kVectors;
  // Their sums take 24 of 32 registers, or 12 of 16.
  static constexpr int kTilePixels = (V::kLanes == 16 ? 24 : 12) / kVectors;
  static constexpr int kSmallTile = kTilePixels / 3;

  // `input` is the first pixel's window, the next one's lies `step` numbers on, a row of them
  // `pitch`. N vectors hold all channels of the block.
  template <int P, int N>
  static __attribute__((noinline)) void Tile(const Conv2DJob& job, const float* input,
                                             ptrdiff_t step, ptrdiff_t pitch, ptrdiff_t pixel,
                                             int block) {
    const int channel = block * 32, left = job.channels_out - channel;
    const ptrdiff_t run = job.filter_width * job.channels_in;
    const float* weights = job.weights + block * (job.filter_height * run * 32);
    F sum[P][kVectors];
    For<kVectors>([&](auto i) TFLBNN_LAMBDA {
      const F bias = V::LoadF(job.bias + channel + i.value * V::kLanes);
      For<P>([&](auto p) TFLBNN_LAMBDA { sum[p.value][i.value] = bias; });
    });
    for (ptrdiff_t y = 0; y < job.filter_height; ++y, input += pitch) {
      // A pointer for three pixels: what an address can add to it is a step or two.
      const float* x[(P + 2) / 3];
      For<(P + 2) / 3>([&](auto p) TFLBNN_LAMBDA { x[p.value] = input + 3 * p.value * step; });
      for (const float* const end = input + run; x[0] != end; weights += 32) {
        const auto at = [&](auto p)
                            TFLBNN_LAMBDA { return V::SetF(x[p.value / 3][p.value % 3 * step]); };
        if constexpr (P * N > 12) {
          F w[N];
          For<N>([&](auto i)
                     TFLBNN_LAMBDA { w[i.value] = V::LoadF(weights + i.value * V::kLanes); });
          For<P>([&](auto p) TFLBNN_LAMBDA {
            const F v = at(p);
            For<N>([&](auto i) TFLBNN_LAMBDA {
              sum[p.value][i.value] = V::MulAdd(v, w[i.value], sum[p.value][i.value]);
            });
          });
        } else {
          F v[P];
          For<P>([&](auto p) TFLBNN_LAMBDA { v[p.value] = at(p); });
          For<N>([&](auto i) TFLBNN_LAMBDA {
            const F w = V::LoadF(weights + i.value * V::kLanes);
            For<P>([&](auto p) TFLBNN_LAMBDA {
              sum[p.value][i.value] = V::MulAdd(v[p.value], w, sum[p.value][i.value]);
            });
          });
        }
        For<(P + 2) / 3>([&](auto p) TFLBNN_LAMBDA { ++x[p.value]; });
      }
    }
    ptrdiff_t pixels[P];
    For<P>([&](auto p) TFLBNN_LAMBDA { pixels[p.value] = pixel + p.value; });
    E::template Run<P>(job.stages, job.stage_count, pixels, channel, left < 32 ? left : 32, sum);
  }

  struct Place {
    const float* input;
    ptrdiff_t pitch, pixel;
    ptrdiff_t count;  // of pixels
  };

  template <int N>
  static TFLBNN_INLINE void Count(const Conv2DJob& job, const Place& tile, int block) {
    const ptrdiff_t step = job.stride_width * job.channels_in;
    if (tile.count == kTilePixels) {
      Tile<kTilePixels, N>(job, tile.input, step, tile.pitch, tile.pixel, block);
    } else if (tile.count == kSmallTile) {
      Tile<kSmallTile, N>(job, tile.input, step, tile.pitch, tile.pixel, block);
    } else {
      Tile<1, N>(job, tile.input, step, tile.pitch, tile.pixel, block);
    }
  }

  // Block after block: its weights stay in the first cache. While they are new, each tile fetches a
  // part of the next block's.
  static void Blocks(const Conv2DJob& job, const Place* tiles, ptrdiff_t count, bool cold) {
    const ptrdiff_t numbers = job.filter_height * job.filter_width * job.channels_in * 32;
    for (int block = job.first_block; block != job.last_block; ++block) {
      const bool last = block + 1 == job.last_block;
      const float* ahead = job.weights + (block + 1) * numbers;
      for (const Place* tile = tiles; tile != tiles + count; ++tile) {
        const ptrdiff_t fetched = cold && !last ? numbers / count : 0;
        for (ptrdiff_t i = 0; i < fetched; i += 16) __builtin_prefetch(ahead + i, 0, 2);
        ahead += fetched;
        if (2 * (job.channels_out - block * 32) > 32) {
          Count<kVectors>(job, *tile, block);
        } else {
          Count<kVectors / 2>(job, *tile, block);
        }
      }
    }
  }

  // The windows of `count` pixels of a row from (x, y) on.
  static void CopyWindow(const Conv2DJob& job, ptrdiff_t image, ptrdiff_t y, ptrdiff_t x,
                         ptrdiff_t columns, float* window) {
    const ptrdiff_t channels = job.channels_in;
    const ptrdiff_t before = x < 0 ? (x + columns < 0 ? columns : -x) : 0;
    const ptrdiff_t over = x + columns - job.input_width;
    const ptrdiff_t after = over < 0 ? 0 : over < columns - before ? over : columns - before;
    const ptrdiff_t inside = columns - before - after;
    for (ptrdiff_t row = y; row < y + job.filter_height; ++row, window += columns * channels) {
      const auto bytes = [&](ptrdiff_t count) TFLBNN_LAMBDA {
        return static_cast<size_t>(count * channels) * sizeof(float);
      };
      if (row < 0 || row >= job.input_height || inside == 0) {
        memset(window, 0, bytes(columns));
        continue;
      }
      memset(window, 0, bytes(before));
      memcpy(
          window + before * channels,
          job.input + ((image * job.input_height + row) * job.input_width + x + before) * channels,
          bytes(inside));
      memset(window + (before + inside) * channels, 0, bytes(after));
    }
  }

  static void Run(const Conv2DJob& job, float* windows, size_t first, size_t last) {
    Place tiles[kConv2DTiles];
    bool cold = true;
    for (auto at = static_cast<ptrdiff_t>(first); at < static_cast<ptrdiff_t>(last);) {
      ptrdiff_t n = 0;
      for (float* window = windows; n < kConv2DTiles && at < static_cast<ptrdiff_t>(last);
           ++n, window += job.window_numbers) {
        const ptrdiff_t ox = at % job.output_width, row = at / job.output_width;
        const ptrdiff_t oy = row % job.output_height, image = row / job.output_height;
        ptrdiff_t count = job.output_width - ox;
        if (count > static_cast<ptrdiff_t>(last) - at) count = static_cast<ptrdiff_t>(last) - at;
        count = count >= kTilePixels ? kTilePixels : count >= kSmallTile ? kSmallTile : 1;
        const ptrdiff_t y = oy * job.stride_height - job.pad_top;
        const ptrdiff_t x = ox * job.stride_width - job.pad_left;
        const ptrdiff_t columns = (count - 1) * job.stride_width + job.filter_width;
        const ptrdiff_t pitch = job.input_width * job.channels_in;
        if (y >= 0 && x >= 0 && y + job.filter_height <= job.input_height &&
            x + columns <= job.input_width) {
          tiles[n] = {job.input + (image * job.input_height + y) * pitch + x * job.channels_in,
                      pitch, at, count};
        } else {
          CopyWindow(job, image, y, x, columns, window);
          tiles[n] = {window, columns * job.channels_in, at, count};
        }
        at += count;
      }
      Blocks(job, tiles, n, cold);
      cold = false;
    }
  }
};

}  // namespace
}  // namespace tflbnn
