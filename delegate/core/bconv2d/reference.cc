#include "core/bconv2d/reference.h"

#include <cmath>
#include <cstring>

namespace tflbnn {
namespace {

template <class T>
T At(const void* array, int64_t index) {
  T value;
  memcpy(&value, static_cast<const uint8_t*>(array) + index * static_cast<int64_t>(sizeof(T)),
         sizeof(T));
  return value;
}

// Twice the number of products that are -1, a product with zero padding being half of one (see
// params.h).
int32_t DoubledCount(const BConv2DParams& p, const void* filter, const Shape& in,
                     const uint32_t* input, int64_t image, int64_t y0, int64_t x0, int channel) {
  const int words = p.words(), group = channel / (p.channels_out / p.groups);
  int32_t doubled = 0;
  for (int fy = 0; fy < p.height.filter; ++fy) {
    for (int fx = 0; fx < p.width.filter; ++fx) {
      const int64_t y = y0 + int64_t{fy} * p.height.dilation,
                    x = x0 + int64_t{fx} * p.width.dilation;
      const bool inside = y >= 0 && y < in.dims[1] && x >= 0 && x < in.dims[2];
      if (!inside && p.zero_padding) {
        doubled += p.channels_per_group();
        continue;
      }
      for (int word = 0; word < words; ++word) {
        const int64_t pixel = (image * in.dims[1] + y) * in.dims[2] + x;
        const uint32_t bits =
            inside ? input[pixel * in.dims[3] + int64_t{group} * words + word] : 0;
        const int64_t tap = (int64_t{channel} * p.height.filter + fy) * p.width.filter + fx;
        doubled += 2 * __builtin_popcount(bits ^ At<uint32_t>(filter, tap * words + word));
      }
    }
  }
  return doubled;
}

float Transform(const BConv2DTransform& transform, int32_t doubled) {
  if (doubled > transform.high) doubled = transform.high;
  if (doubled < transform.low) doubled = transform.low;
  const float product = static_cast<float>(doubled) * transform.multiplier;
  return product + transform.bias;
}

int8_t Saturate(float value) {
  const float rounded = roundf(value);
  if (!(rounded > -128)) return -128;  // NaN, too
  return rounded < 127 ? static_cast<int8_t>(rounded) : 127;
}

}  // namespace

void BConv2DReference(const BConv2DParams& p, const BConv2DConstants& constants, const Shape& in,
                      const Shape& out, const uint32_t* input, void* output) {
  WindowPlacement rows, columns;
  if (!PlaceWindow(p.height, p.padding, in.dims[1], &rows).ok()) return;
  if (!PlaceWindow(p.width, p.padding, in.dims[2], &columns).ok()) return;
  for (int64_t image = 0; image < out.dims[0]; ++image) {
    for (int64_t y = 0; y < out.dims[1]; ++y) {
      for (int64_t x = 0; x < out.dims[2]; ++x) {
        const int64_t pixel = (image * out.dims[1] + y) * out.dims[2] + x;
        for (int channel = 0; channel < p.channels_out; ++channel) {
          const int32_t doubled =
              DoubledCount(p, constants.filter, in, input, image, y * p.height.stride - rows.before,
                           x * p.width.stride - columns.before, channel);
          if (p.output == DataType::kBits) {
            uint32_t& word = static_cast<uint32_t*>(output)[pixel * out.dims[3] + channel / 32];
            if (channel % 32 == 0) word = 0;
            const bool above =
                int64_t{doubled} > 2 * int64_t{At<int32_t>(constants.threshold, channel)};
            word |= static_cast<uint32_t>(above) << (channel % 32);
            continue;
          }
          const float value = Transform(MakeTransform(p, At<float>(constants.multiplier, channel),
                                                      At<float>(constants.bias, channel)),
                                        doubled);
          const int64_t index = pixel * p.channels_out + channel;
          if (p.output == DataType::kInt8) {
            static_cast<int8_t*>(output)[index] = Saturate(value);
          } else {
            static_cast<float*>(output)[index] = value;
          }
        }
      }
    }
  }
}

}  // namespace tflbnn
