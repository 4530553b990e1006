#include "core/elementwise/generic.h"
#include "core/simd/avx2.h"

namespace tflbnn {

const ElementwiseKernel& ElementwiseAvx2() {
  static const ElementwiseKernel kernel = {"avx2", ElementwiseGeneric<Avx2>::Run};
  return kernel;
}

}  // namespace tflbnn
