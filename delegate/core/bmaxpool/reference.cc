#include <algorithm>

#include "core/bmaxpool/bmaxpool.h"

namespace tflbnn {

void BMaxPool2DReference(const BMaxPool2DJob& job, size_t first, size_t last) {
  for (size_t row = first; row < last; ++row) {
    const int64_t height = job.output_height, image = static_cast<int64_t>(row) / height;
    const int64_t y0 = static_cast<int64_t>(row) % height * job.stride_height - job.pad_top;
    for (int ox = 0; ox < job.output_width; ++ox) {
      const int64_t x0 = ox * job.stride_width - job.pad_left;
      for (int word = 0; word < job.words; ++word) {
        uint32_t all = ~0u;
        // A window may be billions of elements larger than the image.
        for (int64_t y = std::max<int64_t>(0, y0);
             y < std::min<int64_t>(job.input_height, y0 + job.filter_height); ++y) {
          for (int64_t x = std::max<int64_t>(0, x0);
               x < std::min<int64_t>(job.input_width, x0 + job.filter_width); ++x) {
            all &= job.input[((image * job.input_height + y) * job.input_width + x) * job.words +
                             word];
          }
        }
        job.output[(static_cast<int64_t>(row) * job.output_width + ox) * job.words + word] = all;
      }
    }
  }
}

}  // namespace tflbnn
