#pragma once

#include "core/bconv2d/kernel.h"
#include "core/cpu_features.h"

namespace tflbnn {

struct BConv2DEntry {
  Isa isa;
  const BConv2DKernel& (*kernel)();
};

constexpr BConv2DEntry kBConv2DKernels[] = {
#define BCONV2D_KERNEL(isa, symbol) {isa, symbol},
#include "core/bconv2d/kernels.inc"
#undef BCONV2D_KERNEL
};

// The best kernel that needs no more than `isa`; null for Isa::kReference.
const BConv2DKernel* SelectBConv2D(Isa isa);

}  // namespace tflbnn
