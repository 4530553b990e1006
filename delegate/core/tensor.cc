#include "core/tensor.h"

namespace tflbnn {

const char* DataTypeName(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return "float32";
    case DataType::kInt8:
      return "int8";
    case DataType::kBits:
      return "bits";
  }
  return "?";
}

size_t Shape::Rows() const {
  size_t rows = 1;
  for (int i = 0; i + 1 < rank; ++i) rows *= static_cast<size_t>(dims[i]);
  return rows;
}

std::string Shape::ToString() const {
  std::string text = "[";
  for (int i = 0; i < rank; ++i) {
    if (i) text += ",";
    text += std::to_string(dims[i]);
  }
  return text + "]";
}

bool operator==(const Shape& a, const Shape& b) {
  if (a.rank != b.rank) return false;
  for (int i = 0; i < a.rank; ++i) {
    if (a.dims[i] != b.dims[i]) return false;
  }
  return true;
}

bool ByteSize(DataType type, const Shape& shape, size_t* bytes) {
  if (shape.rank < 1 || shape.rank > kMaxRank) return false;
  uint64_t size = ElementBytes(type);
  bool empty = false;
  for (int i = 0; i < shape.rank; ++i) {
    if (shape.dims[i] < 0) return false;
    if (shape.dims[i] == 0) {
      empty = true;  // the other dimensions still have to be sane, but no longer to fit
      continue;
    }
    if (size > kMaxTensorBytes / static_cast<uint64_t>(shape.dims[i])) return false;
    size *= static_cast<uint64_t>(shape.dims[i]);
  }
  *bytes = empty ? 0 : static_cast<size_t>(size);
  return true;
}

}  // namespace tflbnn
