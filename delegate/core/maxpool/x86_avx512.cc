#include "core/maxpool/generic.h"
#include "core/simd/avx512.h"

namespace tflbnn {

const MaxPoolKernel& MaxPoolAvx512() {
  static const MaxPoolKernel kernel = {"avx512", MaxPoolGeneric<Avx512>::Run};
  return kernel;
}

}  // namespace tflbnn
