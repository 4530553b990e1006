#include "core/conv2d/generic.h"
#include "core/simd/avx512.h"

namespace tflbnn {

const Conv2DKernel& Conv2DAvx512() {
  using Generic = Conv2DGeneric<Avx512>;
  static const Conv2DKernel kernel = {"avx512", Generic::kTilePixels, Generic::Run};
  return kernel;
}

}  // namespace tflbnn
