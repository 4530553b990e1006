#include "core/elementwise/generic.h"
#include "core/simd/neon.h"

namespace tflbnn {

const ElementwiseKernel& ElementwiseNeon() {
  static const ElementwiseKernel kernel = {"neon", ElementwiseGeneric<Neon>::Run};
  return kernel;
}

}  // namespace tflbnn
