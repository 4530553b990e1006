// Shapes and element types of what flows between operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace tflbnn {

enum class DataType {
  kFloat32,
  kInt8,
  // Signs, 32 to a word along the last axis: bit c % 32 of word c / 32 is set where channel c is
  // negative. The shape counts words; bits past the last channel are zero.
  kBits,
};

const char* DataTypeName(DataType type);
inline size_t ElementBytes(DataType type) { return type == DataType::kInt8 ? 1 : 4; }

constexpr int kMaxRank = 8;

struct Shape {
  int rank = 0;
  int32_t dims[kMaxRank] = {};

  int32_t last() const { return dims[rank - 1]; }
  // Product of every dimension but the last. Valid once ByteSize() accepted the shape.
  size_t Rows() const;
  std::string ToString() const;
};
bool operator==(const Shape& a, const Shape& b);

// Bytes of a dense tensor. False where a dimension is negative or the size passes kMaxTensorBytes.
constexpr uint64_t kMaxTensorBytes = uint64_t{1} << (sizeof(void*) > 4 ? 40 : 30);
bool ByteSize(DataType type, const Shape& shape, size_t* bytes);

inline int64_t WordsForChannels(int64_t channels) { return (channels + 31) / 32; }

// Of an activation.
struct Limits {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  bool none() const {
    return low == -std::numeric_limits<float>::infinity() &&
           high == std::numeric_limits<float>::infinity();
  }
};

}  // namespace tflbnn
