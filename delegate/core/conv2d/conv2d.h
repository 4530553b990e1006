// CONV_2D of floats: the first layer, and those that change the number of channels between binary
// ones. FULLY_CONNECTED is one of a single pixel.
#pragma once

#include <vector>

#include "core/aligned_buffer.h"
#include "core/conv2d/kernel.h"
#include "core/cpu_features.h"
#include "core/dispatch.h"
#include "core/epilogue/chain.h"
#include "core/window.h"

namespace tflbnn {

using Conv2DEntry = KernelEntry<Conv2DKernel>;

// The last one stands for the processors that have none.
constexpr Conv2DEntry kConv2DKernels[] = {
#define CONV2D_KERNEL(isa, symbol) {isa, symbol},
#include "core/conv2d/kernels.inc"
#undef CONV2D_KERNEL
    {Isa::kReference, nullptr},
};

struct Conv2DParams {
  Window height, width;  // without dilation
  Padding padding = Padding::kValid;
  int channels_in = 0, channels_out = 0;
  bool dense = false;  // [image][channel in] to [image][channel out]
};

class Conv2D : public ChainOperation {
 public:
  // Whether one that is worth having runs with this choice of kernels; the reference runs where the
  // best choice does.
  static bool Available(Isa isa);

  // filter [channel out][row][column][channel in], bias [channel out]
  Conv2D(const Conv2DParams& params, const std::vector<float>& filter,
         const std::vector<float>& bias, Isa isa);

  const char* name() const override { return params_.dense ? "Dense" : "Conv2D"; }
  Status Resize(const Shape* inputs, Shape* outputs) override;
  size_t ScratchBytes(int threads) const override;
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override { return kernel_ ? kernel_->name : "reference"; }

 private:
  void PackWeights(const std::vector<float>& filter);
  size_t WindowBytes() const;  // of a thread
  size_t Blocks() const { return (static_cast<size_t>(params_.channels_out) + 31) / 32; }

  const Conv2DParams params_;
  const Conv2DKernel* const kernel_;  // null: the reference
  AlignedBuffer weights_;
  std::vector<float> bias_;
  Conv2DJob job_{};
  size_t pixels_ = 0, grain_ = 1;
  bool by_channels_ = false;  // is how threads share it
};

}  // namespace tflbnn
