#include "core/maxpool/generic.h"
#include "core/simd/neon.h"

namespace tflbnn {

const MaxPoolKernel& MaxPoolNeon() {
  static const MaxPoolKernel kernel = {"neon", MaxPoolGeneric<Neon>::Run};
  return kernel;
}

}  // namespace tflbnn
