#include "core/quantize/dispatch.h"

namespace tflbnn {

const QuantizeKernel* SelectQuantize(Isa isa) {
  if (isa == Isa::kReference) return nullptr;
  for (const QuantizeEntry& entry : kQuantizeKernels) {
    if (entry.isa <= isa) return &entry.kernel();
  }
  return nullptr;
}

}  // namespace tflbnn
