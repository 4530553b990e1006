// MAX_POOL_2D of floats that may lie in pieces of the channels, each channel multiplied and added
// to before.
#pragma once

#include <vector>

#include "core/cpu_features.h"
#include "core/dispatch.h"
#include "core/epilogue/epilogue.h"
#include "core/maxpool/kernel.h"
#include "core/window.h"

namespace tflbnn {

using MaxPoolEntry = KernelEntry<MaxPoolKernel>;

constexpr MaxPoolEntry kMaxPoolKernels[] = {
#define MAXPOOL_KERNEL(isa, symbol) {isa, symbol},
#include "core/maxpool/kernels.inc"
#undef MAXPOOL_KERNEL
};

struct MaxPool2DParams {
  Window height, width;
  Padding padding = Padding::kValid;
  float low, high;  // limits of the result
};

class MaxPool2D : public Operation {
 public:
  // The affine map is of finite numbers.
  MaxPool2D(const MaxPool2DParams& params, int channels, const Affine& affine, Isa isa);
  // Lets it write channels [first, first + channels) of `total`.
  void Place(int total, int first);

  const char* name() const override { return "MaxPool2D"; }
  Status Resize(const Shape* inputs, Shape* outputs) override;
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override { return kernel_ ? kernel_->name : "reference"; }

 private:
  const MaxPool2DParams params_;
  const MaxPoolKernel* const kernel_;  // null: the reference
  void (*run_)(const MaxPoolJob& job, size_t first_row, size_t last_row);
  const int channels_;
  int total_, first_ = 0;
  std::vector<int32_t> sign_;
  std::vector<float> multiplier_, addend_;
  MaxPoolJob job_{};
  size_t rows_ = 0;
};

}  // namespace tflbnn
