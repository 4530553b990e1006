#include "core/maxblur/generic.h"
#include "core/simd/avx2.h"

namespace tflbnn {

const MaxBlurKernel& MaxBlurAvx2() {
  static const MaxBlurKernel kernel = {"avx2", MaxBlurGeneric<Avx2>::Run};
  return kernel;
}

}  // namespace tflbnn
