#include "core/bmaxpool/bmaxpool.h"

namespace tflbnn {

void BMaxPool2DReference(const BMaxPool2DJob& job, size_t first, size_t last) {
  for (size_t row = first; row < last; ++row) {
    const size_t image = row / static_cast<size_t>(job.output_height);
    const ptrdiff_t y0 =
        static_cast<ptrdiff_t>(row % static_cast<size_t>(job.output_height)) * job.stride_height -
        job.pad_top;
    for (int ox = 0; ox < job.output_width; ++ox) {
      for (int word = 0; word < job.words; ++word) {
        uint32_t all = ~0u;
        for (ptrdiff_t y = y0; y < y0 + job.filter_height; ++y) {
          for (ptrdiff_t x = ox * job.stride_width - job.pad_left, i = 0; i < job.filter_width;
               ++i, ++x) {
            if (y < 0 || y >= job.input_height || x < 0 || x >= job.input_width) continue;
            all &= job.input[((static_cast<ptrdiff_t>(image) * job.input_height + y) *
                                  job.input_width +
                              x) *
                                 job.words +
                             word];
          }
        }
        job.output[(static_cast<ptrdiff_t>(row) * job.output_width + ox) * job.words + word] = all;
      }
    }
  }
}

}  // namespace tflbnn
