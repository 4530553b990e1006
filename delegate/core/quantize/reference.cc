#include "core/quantize/reference.h"

namespace tflbnn {
namespace {

template <class Negative>
void Pack(const QuantizeJob& job, size_t first, size_t last, const Negative& negative) {
  const ptrdiff_t words = (job.channels + 31) / 32;
  for (ptrdiff_t row = static_cast<ptrdiff_t>(first); row < static_cast<ptrdiff_t>(last); ++row) {
    for (ptrdiff_t word = 0; word < words; ++word) job.output[row * words + word] = 0;
    for (ptrdiff_t c = 0; c < job.channels; ++c) {
      const uint32_t bit = negative(row * job.channels + c, c);
      job.output[row * words + c / 32] |= bit << (c % 32);
    }
  }
}

}  // namespace

void QuantizeReferenceFloat32(const QuantizeJob& job, size_t first_row, size_t last_row) {
  const float* input = static_cast<const float*>(job.input);
  Pack(job, first_row, last_row, [&](ptrdiff_t at, ptrdiff_t channel) {
    if (!job.threshold) return input[at] < 0;
    return (job.sign[channel] ? -input[at] : input[at]) < job.threshold[channel];
  });
}

void QuantizeReferenceInt8(const QuantizeJob& job, size_t first_row, size_t last_row) {
  const int8_t* input = static_cast<const int8_t*>(job.input);
  Pack(job, first_row, last_row,
       [&](ptrdiff_t at, ptrdiff_t) { return input[at] < job.zero_point; });
}

}  // namespace tflbnn
