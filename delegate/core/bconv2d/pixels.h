// Where the windows of output pixels lie in the input. Included by kernel files only.
#pragma once

#include "core/bconv2d/kernel.h"

namespace tflbnn {
namespace {

struct Pixel {
  size_t index;               // in the output
  const int32_t* correction;  // [block][32] or null
  bool inside;                // of the tile's first pixel: the pointers are to first taps only
};

// The pixels of a tile follow each other.
struct Position {
  ptrdiff_t image, y, x;
  inline void Next(const BConv2DJob& job) {
    if (++x < job.output_width) return;
    x = 0;
    if (++y < job.output_height) return;
    y = 0;
    ++image;
  }
};
inline Position PositionOf(const BConv2DJob& job, size_t index) {
  const size_t row = static_cast<size_t>(job.output_width),
               image = row * static_cast<size_t>(job.output_height);
  return {static_cast<ptrdiff_t>(index / image), static_cast<ptrdiff_t>(index % image / row),
          static_cast<ptrdiff_t>(index % row)};
}
inline const uint32_t* Corner(const BConv2DJob& job, const Position& at) {
  return job.input + at.image * job.image_words +
         static_cast<ptrdiff_t>(at.y * job.stride_height - job.pad_top) * job.row_words +
         static_cast<ptrdiff_t>(at.x * job.stride_width - job.pad_left) * job.pixel_words;
}
// Where `first_taps`, pixels whose windows lie inside are described by their first taps alone.
inline void Point(const BConv2DJob& job, bool first_taps, const uint32_t** pointers, Pixel* pixel,
                  int count, size_t index, Position* at) {
  if (first_taps && job.inside && !job.correction && at->x + count <= job.output_width) {
    const uint32_t* corner = Corner(job, *at);
    for (int p = 0; p < count; ++p, corner += job.stride_width * job.pixel_words) {
      pixel[p] = {index + static_cast<size_t>(p), nullptr, true};
      pointers[p] = corner;
    }
    at->x += count - 1;
    at->Next(job);
    return;
  }
  const Position first = *at;
  int32_t outside = 0;
  for (int p = 0; p < count; ++p, at->Next(job)) {
    pixel[p].index = index + static_cast<size_t>(p);
    pixel[p].correction = nullptr;
    pointers[p] = Corner(job, *at);
    if (!job.row_class) continue;
    const int32_t row = job.row_class[at->y], column = job.column_class[at->x];
    if ((row | column) == 0) continue;
    outside = !job.inside;
    if (job.correction) {
      pixel[p].correction =
          job.correction + (static_cast<ptrdiff_t>(row) * job.column_classes + column) *
                               job.block_count * kBlockChannels;
    }
  }
  pixel[0].inside = !outside && first_taps;
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

}  // namespace
}  // namespace tflbnn
