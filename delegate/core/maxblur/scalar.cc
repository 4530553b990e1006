#include "core/simd/scalar.h"

#include "core/maxblur/generic.h"

namespace tflbnn {

const MaxBlurKernel& MaxBlurScalar() {
  static const MaxBlurKernel kernel = {"scalar", MaxBlurGeneric<Scalar>::Run};
  return kernel;
}

}  // namespace tflbnn
