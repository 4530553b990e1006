#include "core/maxblur/generic.h"
#include "core/simd/avx512.h"

namespace tflbnn {

const MaxBlurKernel& MaxBlurAvx512() {
  static const MaxBlurKernel kernel = {"avx512", MaxBlurGeneric<Avx512>::Run};
  return kernel;
}

}  // namespace tflbnn
