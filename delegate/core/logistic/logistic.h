// LOGISTIC of floats, 1 / (1 + exp(-x)): a few numbers, those of squeeze-and-excite.
#pragma once

#include "core/operation.h"

namespace tflbnn {

class Logistic : public Operation {
 public:
  const char* name() const override { return "Logistic"; }
  Status Resize(const Shape* inputs, Shape* outputs) override;
  void Run(const Arguments& arguments) const override;

 private:
  size_t count_ = 0;
};

}  // namespace tflbnn
