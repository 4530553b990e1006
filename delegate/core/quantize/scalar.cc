#include "core/simd/scalar.h"

#include "core/quantize/generic.h"

namespace tflbnn {

const QuantizeKernel& QuantizeScalar() {
  static const QuantizeKernel kernel = {"scalar", QuantizeGeneric<Scalar>::Run};
  return kernel;
}

}  // namespace tflbnn
