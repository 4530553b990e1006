#include "tflite/flexbuffer.h"

#include <cstring>

namespace tflbnn {
namespace {

// The upper six bits of a packed type byte.
enum Type { kInt = 1, kUInt = 2, kIndirectInt = 6, kIndirectUInt = 7, kMap = 9, kBool = 26 };

int64_t SignExtend(uint64_t value, int width) {
  const int shift = 64 - 8 * width;
  return static_cast<int64_t>(value << shift) >> shift;
}

}  // namespace

bool FlexBufferMap::ReadUnsigned(size_t at, int width, uint64_t* value) const {
  if (at > size_ || size_ - at < static_cast<size_t>(width)) return false;
  *value = 0;
  for (int i = width; i-- > 0;) *value = *value << 8 | data_[at + static_cast<size_t>(i)];
  return true;
}

// References are distances backwards from where they stand.
bool FlexBufferMap::Follow(size_t at, int width, size_t* target) const {
  uint64_t distance;
  if (!ReadUnsigned(at, width, &distance) || distance > at) return false;
  *target = at - static_cast<size_t>(distance);
  return true;
}

Status FlexBufferMap::Parse(const void* data, size_t size, FlexBufferMap* map) {
  map->data_ = static_cast<const uint8_t*>(data);
  map->size_ = size;
  const Status broken = Status::Error("the options are no FlexBuffer map");
  if (!data || size < 3) return broken;
  // The last byte is the width of the root value, which precedes its packed type.
  const int root_width = map->data_[size - 1], packed = map->data_[size - 2];
  if (packed >> 2 != kMap) return broken;
  if (root_width != 1 && root_width != 2 && root_width != 4 && root_width != 8) return broken;
  if (size < 2 + static_cast<size_t>(root_width)) return broken;
  if (!map->Follow(size - 2 - static_cast<size_t>(root_width), root_width, &map->values_))
    return broken;
  map->value_width_ = 1 << (packed & 3);
  // Before the values stand, each `value_width_` wide: the distance to the keys, the keys' width,
  // the count.
  const size_t width = static_cast<size_t>(map->value_width_);
  uint64_t key_width;
  if (map->values_ < 3 * width ||
      !map->Follow(map->values_ - 3 * width, map->value_width_, &map->keys_) ||
      !map->ReadUnsigned(map->values_ - 2 * width, map->value_width_, &key_width) ||
      !map->ReadUnsigned(map->values_ - width, map->value_width_, &map->count_)) {
    return broken;
  }
  if (key_width != 1 && key_width != 2 && key_width != 4 && key_width != 8) return broken;
  map->key_width_ = static_cast<int>(key_width);
  // Every element of both vectors and the type bytes after the values must lie inside.
  if (map->count_ > size || map->count_ * (width + 1) > size - map->values_ ||
      map->count_ * key_width > size - map->keys_) {
    return broken;
  }
  return Status::Ok();
}

bool FlexBufferMap::KeyEquals(size_t at, const char* key) const {
  const size_t length = strlen(key) + 1;  // with the terminating zero
  return at <= size_ && size_ - at >= length && memcmp(data_ + at, key, length) == 0;
}

Status FlexBufferMap::GetInt(const char* key, int32_t* value) const {
  for (uint64_t i = 0; i < count_; ++i) {
    size_t at;
    if (!Follow(keys_ + static_cast<size_t>(i) * static_cast<size_t>(key_width_), key_width_, &at))
      break;
    if (KeyEquals(at, key)) return ReadInt(key, i, value);
  }
  return Status::Error("the option %s is missing", key);
}

Status FlexBufferMap::ReadInt(const char* key, uint64_t index, int32_t* value) const {
  const size_t width = static_cast<size_t>(value_width_);
  const size_t types = values_ + static_cast<size_t>(count_) * width;
  const int packed = data_[types + static_cast<size_t>(index)], type = packed >> 2;
  size_t at = values_ + static_cast<size_t>(index) * width;
  int bytes = value_width_;
  bool valid = type == kInt || type == kUInt || type == kBool;
  if (type == kIndirectInt || type == kIndirectUInt) {
    valid = Follow(at, bytes, &at);
    bytes = 1 << (packed & 3);
  }
  uint64_t raw = 0;
  valid = valid && ReadUnsigned(at, bytes, &raw);
  const bool is_signed = type == kInt || type == kIndirectInt;
  const int64_t number = is_signed ? SignExtend(raw, bytes) : static_cast<int64_t>(raw);
  if (!valid || number < INT32_MIN || number > INT32_MAX || (!is_signed && raw > INT32_MAX)) {
    return Status::Error("the option %s is no 32-bit integer", key);
  }
  *value = static_cast<int32_t>(number);
  return Status::Ok();
}

}  // namespace tflbnn
