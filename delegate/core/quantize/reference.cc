#include "core/quantize/reference.h"

namespace tflbnn {

void QuantizeReference(const QuantizeJob& job, size_t first_row, size_t last_row) {
  const ptrdiff_t words = (job.channels + 31) / 32;
  for (auto row = static_cast<ptrdiff_t>(first_row); row < static_cast<ptrdiff_t>(last_row);
       ++row) {
    for (ptrdiff_t word = 0; word < words; ++word) job.output[row * words + word] = 0;
    for (ptrdiff_t c = 0; c < job.channels; ++c) {
      const uint32_t bit = job.input[row * job.channels + c] < job.zero_point;
      job.output[row * words + c / 32] |= bit << (c % 32);
    }
  }
}

}  // namespace tflbnn
