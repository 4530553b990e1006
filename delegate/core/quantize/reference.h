#pragma once

#include "core/quantize/kernel.h"

namespace tflbnn {

// The definition of the operation, and the judge of every kernel: one channel after the other.
void QuantizeReferenceFloat32(const QuantizeJob& job, size_t first_row, size_t last_row);
void QuantizeReferenceInt8(const QuantizeJob& job, size_t first_row, size_t last_row);

}  // namespace tflbnn
