#include "core/elementwise/generic.h"
#include "core/simd/avx512.h"

namespace tflbnn {

const ElementwiseKernel& ElementwiseAvx512() {
  static const ElementwiseKernel kernel = {"avx512", ElementwiseGeneric<Avx512>::Run};
  return kernel;
}

}  // namespace tflbnn
