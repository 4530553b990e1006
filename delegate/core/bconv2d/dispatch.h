#pragma once

#include "core/bconv2d/kernel.h"
#include "core/dispatch.h"

namespace tflbnn {

using BConv2DEntry = KernelEntry<BConv2DKernel>;

constexpr BConv2DEntry kBConv2DKernels[] = {
#define BCONV2D_KERNEL(isa, symbol) {isa, symbol},
#include "core/bconv2d/kernels.inc"
#undef BCONV2D_KERNEL
};

}  // namespace tflbnn
