#include "core/maxpool/generic.h"
#include "core/simd/avx2.h"

namespace tflbnn {

const MaxPoolKernel& MaxPoolAvx2() {
  static const MaxPoolKernel kernel = {"avx2", MaxPoolGeneric<Avx2>::Run};
  return kernel;
}

}  // namespace tflbnn
