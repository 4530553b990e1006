// Memory on a cache line, that reports exhaustion instead of throwing: its sizes come from model
// files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#if defined(_WIN32)
#include <malloc.h>
#endif

namespace tflbnn {

constexpr size_t kAlignment = 64;
inline size_t AlignUp(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

class AlignedBuffer {
 public:
  // The contents are undefined. False, and an empty buffer, where there is no memory.
  bool Allocate(size_t bytes) {
    void* memory = nullptr;
    if (bytes <= SIZE_MAX - 2 * kAlignment) {
#if defined(_WIN32)
      memory = _aligned_malloc(AlignUp(bytes + 1), kAlignment);
#else
      if (posix_memalign(&memory, kAlignment, AlignUp(bytes + 1))) memory = nullptr;
#endif
    }
    data_.reset(static_cast<uint8_t*>(memory));
    size_ = data_ ? bytes : 0;
    return data_ != nullptr;
  }
  bool AllocateZeroed(size_t bytes) {
    if (!Allocate(bytes)) return false;
    memset(data_.get(), 0, bytes);
    return true;
  }
  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data_.get());
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_.get());
  }
  size_t size() const { return size_; }

 private:
  struct Free {
#if defined(_WIN32)
    void operator()(uint8_t* p) const { _aligned_free(p); }
#else
    void operator()(uint8_t* p) const { std::free(p); }
#endif
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

}  // namespace tflbnn
