// MAX_POOL_2D of stride 1 and the DEPTHWISE_CONV_2D behind it: how QuickNet halves its images
// without aliasing. Or a DEPTHWISE_CONV_2D alone. The scalar kernel multiplies and adds in two
// roundings, which is the same where products are exact (weights that are powers of two).
#pragma once

#include <vector>

#include "core/aligned_buffer.h"
#include "core/cpu_features.h"
#include "core/dispatch.h"
#include "core/maxblur/kernel.h"
#include "core/operation.h"
#include "core/window.h"

namespace tflbnn {

using MaxBlurEntry = KernelEntry<MaxBlurKernel>;

constexpr MaxBlurEntry kMaxBlurKernels[] = {
#define MAXBLUR_KERNEL(isa, symbol) {isa, symbol},
#include "core/maxblur/kernels.inc"
#undef MAXBLUR_KERNEL
};

struct MaxBlurParams {
  int pool_height = 1, pool_width = 1;
  Limits pool_limits;    // of the pooling's result
  Window height, width;  // of the depthwise convolution
  Padding padding = Padding::kSame;
  Limits limits;  // of its result
  int channels = 0;
};

class MaxBlur : public Operation {
 public:
  // filter [tap][channel], bias [channel]
  MaxBlur(const MaxBlurParams& params, const std::vector<float>& filter,
          const std::vector<float>& bias, Isa isa);

  const char* name() const override { return "MaxBlur"; }
  Status Resize(const Shape* inputs, Shape* outputs) override;
  size_t ScratchBytes(int threads) const override;
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override { return kernel_ ? kernel_->name : "reference"; }

 private:
  size_t RowsPerThread() const;  // floats

  const MaxBlurParams params_;
  const MaxBlurKernel* const kernel_;  // null: the reference
  void (*run_)(const MaxBlurJob& job, float* scratch, size_t first_row, size_t last_row);
  std::vector<float> filter_, bias_;
  MaxBlurJob job_{};
  size_t rows_ = 0;
};

}  // namespace tflbnn
