#include <algorithm>

#include "core/bmaxpool/bmaxpool.h"

namespace tflbnn {

// Words innermost, which the compiler turns into vectors.
void BMaxPool2DScalar(const BMaxPool2DJob& job, size_t first, size_t last) {
  const ptrdiff_t words = job.words, row_words = words * job.input_width;
  uint32_t* output = job.output + static_cast<ptrdiff_t>(first) * job.output_width * words;
  for (size_t row = first; row < last; ++row) {
    const size_t image = row / static_cast<size_t>(job.output_height);
    const uint32_t* const input =
        job.input + static_cast<ptrdiff_t>(image) * job.input_height * row_words;
    const int64_t y0 =
        static_cast<int64_t>(row % static_cast<size_t>(job.output_height)) * job.stride_height -
        job.pad_top;
    const auto y_begin = static_cast<ptrdiff_t>(std::max<int64_t>(0, y0));
    const auto y_end =
        static_cast<ptrdiff_t>(std::min<int64_t>(job.input_height, y0 + job.filter_height));
    for (ptrdiff_t ox = 0; ox < job.output_width; ++ox, output += words) {
      const int64_t x0 = ox * job.stride_width - job.pad_left;
      const auto x_begin = static_cast<ptrdiff_t>(std::max<int64_t>(0, x0));
      const auto x_end =
          static_cast<ptrdiff_t>(std::min<int64_t>(job.input_width, x0 + job.filter_width));
      std::fill(output, output + words, ~0u);
      for (ptrdiff_t y = y_begin; y < y_end; ++y) {
        const uint32_t* in = input + y * row_words + x_begin * words;
        for (ptrdiff_t x = x_begin; x < x_end; ++x, in += words) {
          for (ptrdiff_t word = 0; word < words; ++word) output[word] &= in[word];
        }
      }
    }
  }
}

}  // namespace tflbnn
