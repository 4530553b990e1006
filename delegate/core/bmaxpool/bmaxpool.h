// LceBMaxPool2d: the maximum of signs. -1 is a set bit, so the maximum is +1 unless every bit is
// set: an AND of words. Padding takes no part in it.
#pragma once

#include "core/cpu_features.h"
#include "core/operation.h"
#include "core/window.h"

namespace tflbnn {

struct BMaxPool2DParams {
  Window height, width;
  Padding padding = Padding::kValid;
};

struct BMaxPool2DJob {
  const uint32_t* input;
  uint32_t* output;
  int input_height, input_width, output_height, output_width, words;
  int filter_height, filter_width;
  int64_t stride_height, stride_width, pad_top, pad_left;  // may pass 32 bits
};

// Output rows [first, last), counted over the whole batch: word by word as defined, and window by
// window.
void BMaxPool2DReference(const BMaxPool2DJob& job, size_t first, size_t last);
void BMaxPool2DScalar(const BMaxPool2DJob& job, size_t first, size_t last);

class BMaxPool2D : public Operation {
 public:
  static Status Validate(const BMaxPool2DParams& params);
  // `params` must be valid.
  BMaxPool2D(const BMaxPool2DParams& params, Isa isa) : params_(params), isa_(isa) {}

  const char* name() const override { return "LceBMaxPool2d"; }
  Status Resize(const Shape* inputs, Shape* output) override;
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override { return isa_ == Isa::kReference ? "reference" : "scalar"; }

 private:
  const BMaxPool2DParams params_;
  const Isa isa_;
  BMaxPool2DJob job_{};
  size_t rows_ = 0;
};

}  // namespace tflbnn
