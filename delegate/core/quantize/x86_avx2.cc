#include "core/quantize/generic.h"
#include "core/simd/avx2.h"

namespace tflbnn {

const QuantizeKernel& QuantizeAvx2() {
  static const QuantizeKernel kernel = {"avx2", QuantizeGeneric<Avx2>::Run};
  return kernel;
}

}  // namespace tflbnn
