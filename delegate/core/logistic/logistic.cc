#include "core/logistic/logistic.h"

#include <cmath>

namespace tflbnn {

Status Logistic::Resize(const Shape* inputs, Shape* outputs) {
  size_t bytes = 0;
  if (!ByteSize(DataType::kFloat32, inputs[0], &bytes)) {
    return Status::Error("Logistic: impossible shape %s", inputs[0].ToString().c_str());
  }
  outputs[0] = inputs[0];
  count_ = bytes / sizeof(float);
  return Status::Ok();
}

void Logistic::Run(const Arguments& arguments) const {
  const auto* input = static_cast<const float*>(arguments.inputs[0]);
  auto* output = static_cast<float*>(arguments.outputs[0]);
  for (size_t i = 0; i < count_; ++i) output[i] = 1.f / (1.f + std::exp(-input[i]));
}

}  // namespace tflbnn
