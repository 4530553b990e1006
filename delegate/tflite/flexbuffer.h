// Reads integers from a FlexBuffer map, the format of LCE's options, without trusting a byte of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/status.h"

namespace tflbnn {

class FlexBufferMap {
 public:
  // `data` must outlive the map. Fails where the bytes do not end with a root that is a map.
  static Status Parse(const void* data, size_t size, FlexBufferMap* map);
  // Fails where the key is absent or its value no integer of 32 bits.
  Status GetInt(const char* key, int32_t* value) const;

 private:
  // All positions are offsets from the beginning, checked against size_ before they are read.
  bool ReadUnsigned(size_t at, int width, uint64_t* value) const;
  bool Follow(size_t at, int width, size_t* target) const;
  bool KeyEquals(size_t at, const char* key) const;
  Status ReadInt(const char* key, uint64_t index, int32_t* value) const;

  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t values_ = 0, keys_ = 0;         // where the elements of the two vectors begin
  int value_width_ = 1, key_width_ = 1;  // bytes of an element
  uint64_t count_ = 0;
};

}  // namespace tflbnn
