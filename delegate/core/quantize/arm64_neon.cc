#include "core/quantize/generic.h"
#include "core/simd/neon.h"

namespace tflbnn {

const QuantizeKernel& QuantizeNeon() {
  static const QuantizeKernel kernel = {"neon", QuantizeGeneric<Neon>::Float32,
                                        QuantizeGeneric<Neon>::Int8};
  return kernel;
}

}  // namespace tflbnn
