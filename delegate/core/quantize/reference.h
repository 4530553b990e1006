#pragma once

#include "core/quantize/kernel.h"

namespace tflbnn {

// The definition of the operation, and the judge of every kernel: one channel after the other.
void QuantizeReference(const QuantizeJob& job, size_t first_row, size_t last_row);

}  // namespace tflbnn
