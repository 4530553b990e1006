#include "core/quantize/affine_threshold.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace tflbnn {
namespace {

// Numbers the floats from -infinity to +infinity in their order (-0 just before +0).
int64_t Number(float value) {
  int32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits >= 0 ? bits : -1 - int64_t{bits & INT32_MAX};
}

float Float(int64_t number) {
  const int32_t bits = number >= 0
                           ? static_cast<int32_t>(number)
                           : static_cast<int32_t>(INT32_MIN | static_cast<int32_t>(-1 - number));
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace

bool AffineThreshold(float m, float a, float* threshold, bool* negate) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (!std::isfinite(m) || !std::isfinite(a)) return false;
  *negate = m < 0;
  if (m == 0) {
    *threshold = a < 0 ? kInfinity : -kInfinity;
    return true;
  }
  const float scale = std::fabs(m);
  int64_t set = Number(-kInfinity),
          clear = Number(kInfinity);  // y is -infinity and +infinity there
  while (clear - set > 1) {
    const int64_t middle = set + (clear - set) / 2;
    const float product = Float(middle) * scale;
    (product + a < 0 ? set : clear) = middle;
  }
  *threshold = Float(clear);
  return true;
}

}  // namespace tflbnn
