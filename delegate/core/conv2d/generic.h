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
        const auto at = [&](auto p) TFLBNN_LAMBDA {
          return V::SetF(x[p.value / 3][p.value % 3 * step]);
        };
        if constexpr (P * N > 12) {
          F w[N];
          For<N>([&](auto i) TFLBNN_LAMBDA { w[i.value] = V::LoadF(weights + i.value * V::kLanes); });
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

  template <int P>
  static void Blocks(const Conv2DJob& job, const float* input, ptrdiff_t step, ptrdiff_t pitch,
                     ptrdiff_t pixel) {
    for (int block = 0; block * 32 < job.channels_out; ++block) {
      if (2 * (job.channels_out - block * 32) > 32) {
        Tile<P, kVectors>(job, input, step, pitch, pixel, block);
      } else {
        Tile<P, kVectors / 2>(job, input, step, pitch, pixel, block);
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
      memcpy(window + before * channels,
             job.input + ((image * job.input_height + row) * job.input_width + x + before) * channels,
             bytes(inside));
      memset(window + (before + inside) * channels, 0, bytes(after));
    }
  }

  static void Run(const Conv2DJob& job, float* window, size_t first, size_t last) {
    const ptrdiff_t step = job.stride_width * job.channels_in;
    for (auto at = static_cast<ptrdiff_t>(first); at < static_cast<ptrdiff_t>(last);) {
      const ptrdiff_t ox = at % job.output_width, row = at / job.output_width;
      const ptrdiff_t oy = row % job.output_height, image = row / job.output_height;
      ptrdiff_t count = job.output_width - ox;
      if (count > static_cast<ptrdiff_t>(last) - at) count = static_cast<ptrdiff_t>(last) - at;
      count = count >= kTilePixels ? kTilePixels : count >= kSmallTile ? kSmallTile : 1;
      const ptrdiff_t y = oy * job.stride_height - job.pad_top;
      const ptrdiff_t x = ox * job.stride_width - job.pad_left;
      const ptrdiff_t columns = (count - 1) * job.stride_width + job.filter_width;
      const float* input = window;
      ptrdiff_t pitch = columns * job.channels_in;
      if (y >= 0 && x >= 0 && y + job.filter_height <= job.input_height &&
          x + columns <= job.input_width) {
        pitch = job.input_width * job.channels_in;
        input = job.input + (image * job.input_height + y) * pitch + x * job.channels_in;
      } else {
        CopyWindow(job, image, y, x, columns, window);
      }
      if (count == kTilePixels) {
        Blocks<kTilePixels>(job, input, step, pitch, at);
      } else if (count == kSmallTile) {
        Blocks<kSmallTile>(job, input, step, pitch, at);
      } else {
        Blocks<1>(job, input, step, pitch, at);
      }
      at += count;
    }
  }
};

}  // namespace
}  // namespace tflbnn
