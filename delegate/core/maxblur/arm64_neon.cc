#include "core/maxblur/generic.h"
#include "core/simd/neon.h"

namespace tflbnn {

const MaxBlurKernel& MaxBlurNeon() {
  static const MaxBlurKernel kernel = {"neon", MaxBlurGeneric<Neon>::Run};
  return kernel;
}

}  // namespace tflbnn
