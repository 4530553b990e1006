#include "core/averagepool/generic.h"
#include "core/simd/avx2.h"

namespace tflbnn {

const AveragePoolKernel& AveragePoolAvx2() {
  static const AveragePoolKernel kernel = {"avx2", AveragePoolGeneric<Avx2>::Run};
  return kernel;
}

}  // namespace tflbnn
