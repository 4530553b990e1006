#include "core/simd/scalar.h"

#include "core/quantize/generic.h"

namespace tflbnn {

const QuantizeKernel& QuantizeScalar() {
  static const QuantizeKernel kernel = {"scalar", QuantizeGeneric<Scalar>::Float32,
                                        QuantizeGeneric<Scalar>::Int8};
  return kernel;
}

}  // namespace tflbnn
