#pragma once

#include "core/dispatch.h"
#include "core/quantize/kernel.h"

namespace tflbnn {

using QuantizeEntry = KernelEntry<QuantizeKernel>;

constexpr QuantizeEntry kQuantizeKernels[] = {
#define QUANTIZE_KERNEL(isa, symbol) {isa, symbol},
#include "core/quantize/kernels.inc"
#undef QUANTIZE_KERNEL
};

}  // namespace tflbnn
