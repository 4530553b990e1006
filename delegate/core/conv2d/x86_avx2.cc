#include "core/conv2d/generic.h"
#include "core/simd/avx2.h"

namespace tflbnn {

const Conv2DKernel& Conv2DAvx2() {
  using Generic = Conv2DGeneric<Avx2>;
  static const Conv2DKernel kernel = {"avx2", Generic::kTilePixels, Generic::Run};
  return kernel;
}

}  // namespace tflbnn
