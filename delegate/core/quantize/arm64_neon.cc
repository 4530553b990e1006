#include "core/quantize/generic.h"
#include "core/simd/neon.h"

namespace tflbnn {

const QuantizeKernel& QuantizeNeon() {
  static const QuantizeKernel kernel = {"neon", QuantizeGeneric<Neon>::Run};
  return kernel;
}

}  // namespace tflbnn
