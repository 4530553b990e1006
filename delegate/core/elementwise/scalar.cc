#include "core/simd/scalar.h"

#include "core/elementwise/generic.h"

namespace tflbnn {

const ElementwiseKernel& ElementwiseScalar() {
  static const ElementwiseKernel kernel = {"scalar", ElementwiseGeneric<Scalar>::Run};
  return kernel;
}

}  // namespace tflbnn
