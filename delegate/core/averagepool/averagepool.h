// AVERAGE_POOL_2D, and MEAN of all pixels, of floats that may lie in pieces of the channels, each
// channel multiplied and added to before.
#pragma once

#include <vector>

#include "core/averagepool/kernel.h"
#include "core/cpu_features.h"
#include "core/dispatch.h"
#include "core/epilogue/epilogue.h"
#include "core/window.h"

namespace tflbnn {

using AveragePoolEntry = KernelEntry<AveragePoolKernel>;

constexpr AveragePoolEntry kAveragePoolKernels[] = {
#define AVERAGEPOOL_KERNEL(isa, symbol) {isa, symbol},
#include "core/averagepool/kernels.inc"
#undef AVERAGEPOOL_KERNEL
};

struct AveragePool2DParams {
  bool whole = false;     // [image][row][column][channel] to a mean for each image and channel
  bool keep_dims = true;  // of a mean: to [image][1][1][channel], or to [image][channel]
  // Else: of kAveragePoolTaps elements at most.
  Window height, width;
  Padding padding = Padding::kValid;
};

class AveragePool2D : public Operation {
 public:
  AveragePool2D(const AveragePool2DParams& params, int channels, const Affine& affine, Isa isa);
  // Lets it write channels [first, first + channels) of `total`.
  void Place(int total, int first);

  const char* name() const override { return params_.whole ? "Mean" : "AveragePool2D"; }
  Status Resize(const Shape* inputs, Shape* outputs) override;
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override { return kernel_ ? kernel_->name : "reference"; }

 private:
  const AveragePool2DParams params_;
  const AveragePoolKernel* const kernel_;  // null: the reference
  void (*run_)(const AveragePoolJob& job, size_t first, size_t last);
  const int channels_;
  int total_, first_ = 0;
  std::vector<float> multiplier_, addend_;
  AveragePoolJob job_{};
  size_t blocks_ = 0;
};

}  // namespace tflbnn
