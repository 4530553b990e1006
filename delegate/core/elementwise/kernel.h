// Plain data only, see core/bconv2d/kernel.h.
#pragma once

#include "core/epilogue/stage.h"

namespace tflbnn {

struct ElementwiseJob {
  const float* input;  // [row][channels]
  int channels;
  const Stage* stages;
  int stage_count;
};

struct ElementwiseKernel {
  const char* name;
  void (*run)(const ElementwiseJob& job, size_t first_row, size_t last_row);
};

#define ELEMENTWISE_KERNEL(isa, symbol) const ElementwiseKernel& symbol();
#include "core/elementwise/kernels.inc"
#undef ELEMENTWISE_KERNEL

}  // namespace tflbnn
