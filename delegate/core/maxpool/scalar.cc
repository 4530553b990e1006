#include "core/simd/scalar.h"

#include "core/maxpool/generic.h"

namespace tflbnn {

const MaxPoolKernel& MaxPoolScalar() {
  static const MaxPoolKernel kernel = {"scalar", MaxPoolGeneric<Scalar>::Run};
  return kernel;
}

}  // namespace tflbnn
