#include "core/simd/scalar.h"

#include "core/averagepool/generic.h"

namespace tflbnn {

const AveragePoolKernel& AveragePoolScalar() {
  static const AveragePoolKernel kernel = {"scalar", AveragePoolGeneric<Scalar>::Run};
  return kernel;
}

}  // namespace tflbnn
