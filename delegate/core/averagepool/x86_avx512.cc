#include "core/averagepool/generic.h"
#include "core/simd/avx512.h"

namespace tflbnn {

const AveragePoolKernel& AveragePoolAvx512() {
  static const AveragePoolKernel kernel = {"avx512", AveragePoolGeneric<Avx512>::Run};
  return kernel;
}

}  // namespace tflbnn
