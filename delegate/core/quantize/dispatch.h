#pragma once

#include "core/cpu_features.h"
#include "core/quantize/kernel.h"

namespace tflbnn {

struct QuantizeEntry {
  Isa isa;
  const QuantizeKernel& (*kernel)();
};

constexpr QuantizeEntry kQuantizeKernels[] = {
#define QUANTIZE_KERNEL(isa, symbol) {isa, symbol},
#include "core/quantize/kernels.inc"
#undef QUANTIZE_KERNEL
};

// The best kernel that needs no more than `isa`; null for Isa::kReference.
const QuantizeKernel* SelectQuantize(Isa isa);

}  // namespace tflbnn
