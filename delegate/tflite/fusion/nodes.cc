#include "tflite/fusion/nodes.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace tflbnn {
namespace {

// More than any network has; a file of a few bytes could name 2^31.
constexpr int kMaxChannels = 1 << 20;

}  // namespace

bool IsBuiltin(const NodeReader& node, int code, int inputs, int present) {
  const TfLiteIntArray *in = node.node->inputs, *out = node.node->outputs;
  return node.registration->builtin_code == code && in && in->size == inputs && out &&
         out->size == 1 && out->data[0] >= 0 &&
         std::all_of(in->data, in->data + present, [](int tensor) { return tensor >= 0; });
}

bool IsConstant(const TfLiteTensor& tensor) {
  return tensor.allocation_type == kTfLiteMmapRo && tensor.data && tensor.dims;
}

bool IsFloat(const TfLiteTensor& tensor) {
  Shape shape;
  return tensor.type == kTfLiteFloat32 && tensor.allocation_type != kTfLiteMmapRo &&
         TensorShape(tensor, &shape).ok() && shape.last() > 0;
}

bool SameDims(const TfLiteTensor& a, const TfLiteTensor& b) {
  return a.dims && b.dims && a.dims->size == b.dims->size &&
         std::equal(a.dims->data, a.dims->data + a.dims->size, b.dims->data);
}

std::vector<float> ChannelConstants(const TfLiteTensor& constant, const TfLiteTensor& x) {
  if (!IsConstant(constant) || constant.type != kTfLiteFloat32) return {};
  const int channels = x.dims->data[x.dims->size - 1];
  const size_t count = constant.bytes / sizeof(float);
  const TfLiteIntArray& dims = *constant.dims;
  if (count == 0 || dims.size > x.dims->size || channels > kMaxChannels) return {};
  const bool each = count == static_cast<size_t>(channels) &&
                    (count == 1 || dims.data[dims.size - 1] == channels);
  if (count != 1 && !each) return {};
  std::vector<float> values(static_cast<size_t>(channels));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto* bytes =
        static_cast<const uint8_t*>(constant.data) + (count == 1 ? 0 : i * sizeof(float));
    memcpy(&values[i], bytes, sizeof(float));
  }
  return values;
}

bool ConstantFloats(const TfLiteTensor& tensor, Shape* shape) {
  size_t bytes = 0;
  return IsConstant(tensor) && tensor.type == kTfLiteFloat32 && TensorShape(tensor, shape).ok() &&
         ByteSize(DataType::kFloat32, *shape, &bytes) && bytes > 0 && bytes == tensor.bytes;
}

std::vector<float> Floats(const TfLiteTensor& constant) {
  std::vector<float> values(constant.bytes / sizeof(float));
  if (!values.empty()) memcpy(values.data(), constant.data, values.size() * sizeof(float));
  return values;
}

bool ReadLimits(int activation, Limits* limits) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case kTfLiteActNone:
      *limits = {-kInfinity, kInfinity};
      return true;
    case kTfLiteActRelu:
      *limits = {0, kInfinity};
      return true;
    case kTfLiteActReluN1To1:
      *limits = {-1, 1};
      return true;
    case kTfLiteActRelu6:
      *limits = {0, 6};
      return true;
    default:
      return false;
  }
}

int FusedActivation(const NodeReader& node) {
  return node.node->builtin_data ? *static_cast<const int*>(node.node->builtin_data) : -1;
}

bool IsChannelwise(const NodeReader& node, int code, int* x, int* constant) {
  Limits limits;
  if (!IsBuiltin(node, code, 2) || !ReadLimits(FusedActivation(node), &limits)) return false;
  *constant = IsConstant(node.input(0)) ? 0 : 1;
  *x = 1 - *constant;
  return IsFloat(node.input(*x)) && IsFloat(node.output()) &&
         SameDims(node.input(*x), node.output()) &&
         !ChannelConstants(node.input(*constant), node.input(*x)).empty();
}

}  // namespace tflbnn
