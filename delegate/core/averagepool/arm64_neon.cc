#include "core/averagepool/generic.h"
#include "core/simd/neon.h"

namespace tflbnn {

const AveragePoolKernel& AveragePoolNeon() {
  static const AveragePoolKernel kernel = {"neon", AveragePoolGeneric<Neon>::Run};
  return kernel;
}

}  // namespace tflbnn
