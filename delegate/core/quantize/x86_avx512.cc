#include "core/quantize/generic.h"
#include "core/simd/avx512.h"

namespace tflbnn {

const QuantizeKernel& QuantizeAvx512() {
  static const QuantizeKernel kernel = {"avx512", QuantizeGeneric<Avx512>::Run};
  return kernel;
}

}  // namespace tflbnn
