// RESHAPE of a vector for each image, [image][channel], to [image][1][1][channel].
#pragma once

#include "core/operation.h"

namespace tflbnn {

class ReshapeVectors : public Operation {
 public:
  const char* name() const override { return "Reshape"; }
  Status Resize(const Shape* inputs, Shape* outputs) override;
  void Run(const Arguments& arguments) const override;

 private:
  size_t bytes_ = 0;
};

}  // namespace tflbnn
