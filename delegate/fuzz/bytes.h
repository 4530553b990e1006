// Takes decisions from a fuzzer's bytes, front to back; when they run out every decision is the
// first of its choices, so that a cut input is still a whole one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace tflbnn::fuzz {

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  bool empty() const { return size_ == 0; }
  uint8_t Byte() {
    if (empty()) return 0;
    --size_;
    return *data_++;
  }
  int Between(int low, int high) { return low + Byte() % (high - low + 1); }
  bool OneIn(int n) { return Byte() % n == n - 1; }
  template <class T>
  T Raw() {
    T value{};
    for (size_t i = 0; i < sizeof(T); ++i) {
      const uint8_t byte = Byte();
      memcpy(reinterpret_cast<uint8_t*>(&value) + i, &byte, 1);
    }
    return value;
  }
  template <class T>
  const T& Pick(const std::vector<T>& items) {
    return items[Byte() % items.size()];
  }
  // Any number, mostly one that sizes, indices and strides do not survive.
  int32_t AnyInt() {
    static constexpr int32_t kEdges[] = {
        0,   1,   -1,    2,       31,      32,      33,        127,           128,       -128,
        255, 256, 65535, 65536,   1 << 20, 1 << 24, 1 << 28,   1 << 30,       INT32_MAX, INT32_MIN,
        3,   4,   5,     1000000, 65537,   -65536,  715827883, INT32_MAX - 1, 64,        96};
    const uint8_t choice = Byte();
    if (choice >= 240) return Raw<int32_t>();
    return kEdges[choice % (sizeof(kEdges) / sizeof(kEdges[0]))];
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace tflbnn::fuzz
