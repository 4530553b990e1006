// TFLite's arrays of integers; its own constructor is not exported to plugins.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "tflite/abi.h"

namespace tflbnn {

class IntArray {
 public:
  explicit IntArray(const std::vector<int>& items)
      : array_(static_cast<TfLiteIntArray*>(
            malloc(sizeof(TfLiteIntArray) + sizeof(int) * items.size()))) {
    if (!array_) return;
    array_->size = static_cast<int>(items.size());
    std::copy(items.begin(), items.end(), array_->data);
  }
  // Null where there is no memory.
  TfLiteIntArray* get() const { return array_.get(); }
  // For functions that free it.
  TfLiteIntArray* release() { return array_.release(); }

 private:
  struct Free {
    void operator()(TfLiteIntArray* p) const { free(p); }
  };
  std::unique_ptr<TfLiteIntArray, Free> array_;
};

}  // namespace tflbnn
