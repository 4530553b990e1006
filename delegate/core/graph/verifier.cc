#include "core/graph/verifier.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstring>

namespace tflbnn {
namespace {

template <class T>
T At(const void* data, size_t index) {
  T value;
  memcpy(&value, static_cast<const uint8_t*>(data) + index * sizeof(T), sizeof(T));
  return value;
}

// Sums of zero may have either sign, and NaN any payload; neither changes what follows.
bool SameFloat(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool SameElement(DataType type, const void* a, const void* b, size_t index) {
  switch (type) {
    case DataType::kFloat32:
      return SameFloat(At<float>(a, index), At<float>(b, index));
    case DataType::kInt8:
      return At<int8_t>(a, index) == At<int8_t>(b, index);
    default:
      return At<uint32_t>(a, index) == At<uint32_t>(b, index);
  }
}

// Of bits, the first that differs in the word at `index`.
int DifferingBit(const ValueInfo& value, const void* a, const void* b, size_t index) {
  if (value.type != DataType::kBits) return 0;
  return __builtin_ctz(At<uint32_t>(a, index) ^ At<uint32_t>(b, index));
}

std::string Show(DataType type, const void* data, size_t index, int bit) {
  char text[32];
  switch (type) {
    case DataType::kFloat32:
      snprintf(text, sizeof(text), "%.9g", static_cast<double>(At<float>(data, index)));
      return text;
    case DataType::kInt8:
      return std::to_string(At<int8_t>(data, index));
    default:
      return At<uint32_t>(data, index) >> bit & 1 ? "-1" : "+1";
  }
}

// The element's index along each axis; along the last one of bits, the channel's.
std::string Position(const Shape& shape, size_t index, DataType type, int bit) {
  Shape at = shape;
  for (int i = shape.rank - 1; i >= 0; --i) {
    const size_t extent = static_cast<size_t>(shape.dims[i]);
    at.dims[i] = static_cast<int32_t>(index % extent);
    index /= extent;
  }
  if (type == DataType::kBits) at.dims[at.rank - 1] = at.dims[at.rank - 1] * 32 + bit;
  return at.ToString();
}

}  // namespace

std::string Verifier::Name(size_t step) const {
  const std::vector<ValueInfo>& outputs = steps_[step].outputs;
  std::string name =
      "operation " + std::to_string(step) + " of " + where_ + ", " + steps_[step].operation->name();
  if (!outputs.empty() && !outputs[0].name.empty()) {
    name += " to '" + outputs[0].name.substr(0, 100) + "'";
  }
  return name;
}

Status Verifier::Resize(const std::vector<StepInfo>& steps, int threads) {
  steps_ = steps;
  if (references_.size() != steps.size()) {
    return Status::Error("verify: %s has %zu operations, and %zu with the reference kernels",
                         where_.c_str(), steps.size(), references_.size());
  }
  size_t most_bytes = 0, most_outputs = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    std::vector<Shape> inputs, outputs(steps[i].outputs.size());
    for (const ValueInfo& input : steps[i].inputs) inputs.push_back(input.shape);
    TFLBNN_RETURN_IF_ERROR(references_[i]->Resize(inputs.data(), outputs.data()));
    size_t bytes = AlignUp(references_[i]->ScratchBytes(threads));
    for (size_t j = 0; j < outputs.size(); ++j) {
      if (!(outputs[j] == steps[i].outputs[j].shape)) {
        return Status::Error("verify: %s gives the shape %s, the reference %s", Name(i).c_str(),
                             steps[i].outputs[j].shape.ToString().c_str(),
                             outputs[j].ToString().c_str());
      }
      bytes += AlignUp(steps[i].outputs[j].bytes);
    }
    most_bytes = std::max(most_bytes, bytes);
    most_outputs = std::max(most_outputs, outputs.size());
  }
  outputs_.resize(most_outputs);
  if (!memory_.Allocate(most_bytes)) {
    return Status::Error("verify: no memory for %zu bytes of results", most_bytes);
  }
  return Status::Ok();
}

// Before, as an operation may write where it reads.
void Verifier::Before(size_t step, const Operation::Arguments& arguments) {
  uint8_t* memory = memory_.data();
  for (size_t i = 0; i < steps_[step].outputs.size(); ++i) {
    const size_t bytes = steps_[step].outputs[i].bytes;
    outputs_[i] = memory;
    // An operation may write a part of a value only: the rest then compares equal.
    if (bytes > 0) memcpy(memory, arguments.outputs[i], bytes);
    memory += AlignUp(bytes);
  }
  Operation::Arguments reference = arguments;
  reference.outputs = outputs_.data();
  reference.scratch = memory;
  references_[step]->Run(reference);
}

Status Verifier::After(size_t step, const Operation::Arguments& arguments) {
  for (size_t i = 0; i < steps_[step].outputs.size(); ++i) {
    const ValueInfo& value = steps_[step].outputs[i];
    const void *got = arguments.outputs[i], *want = outputs_[i];
    if (value.bytes == 0 || memcmp(got, want, value.bytes) == 0) continue;
    const size_t elements = value.bytes / ElementBytes(value.type);
    for (size_t index = 0; index < elements; ++index) {
      if (SameElement(value.type, got, want, index)) continue;
      const int bit = DifferingBit(value, got, want, index);
      return Status::Error(
          "verify: %s: the %s output %s first differs at %s: %s by kernel %s, %s by the reference",
          Name(step).c_str(), DataTypeName(value.type), value.shape.ToString().c_str(),
          Position(value.shape, index, value.type, bit).c_str(),
          Show(value.type, got, index, bit).c_str(), steps_[step].operation->kernel(),
          Show(value.type, want, index, bit).c_str());
    }
  }
  return Status::Ok();
}

}  // namespace tflbnn
