#include "core/bconv2d/dispatch.h"

namespace tflbnn {

const BConv2DKernel* SelectBConv2D(Isa isa) {
  if (isa == Isa::kReference) return nullptr;
  for (const BConv2DEntry& entry : kBConv2DKernels) {
    if (entry.isa <= isa) return &entry.kernel();
  }
  return nullptr;
}

}  // namespace tflbnn
