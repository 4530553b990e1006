#include "core/bconv2d/bound.h"

#include <cstring>

namespace tflbnn {

double BoundMacsPerCycle(const char* kernel) {
  constexpr struct {
    const char* kernel;
    double macs;
  } kBounds[] = {{"avx512", 1024 / 2.5}, {"avx2", 768 / 3.0}, {"neon", 128 / 1.5}};
  for (const auto& bound : kBounds) {
    if (!strcmp(kernel, bound.kernel)) return bound.macs;
  }
  return 0;
}

}  // namespace tflbnn
