#include "core/quantize/generic.h"
#include "core/simd/avx2.h"

namespace tflbnn {

const QuantizeKernel& QuantizeAvx2() {
  static const QuantizeKernel kernel = {"avx2", QuantizeGeneric<Avx2>::Float32,
                                        QuantizeGeneric<Avx2>::Int8};
  return kernel;
}

}  // namespace tflbnn
