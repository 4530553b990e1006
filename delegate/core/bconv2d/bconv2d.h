// Binary 2-D convolution: weights packed once, geometry computed when the input's shape changes.
#pragma once

#include <memory>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/bconv2d/kernel.h"
#include "core/bconv2d/params.h"
#include "core/cpu_features.h"
#include "core/epilogue/chain.h"

namespace tflbnn {

class BConv2D : public ChainOperation {
 public:
  // Refuses parameters that make no sense, or sums that 32 bits could not hold.
  static Status Validate(const BConv2DParams& params);
  // Validates, and copies what it needs of the constants.
  static Status Create(const BConv2DParams& params, const BConv2DConstants& constants, Isa isa,
                       std::unique_ptr<BConv2D>* operation);
  const BConv2DParams& params() const { return params_; }

  const char* name() const override { return "LceBconv2d"; }
  Status Resize(const Shape* inputs, Shape* outputs) override;
  size_t ScratchBytes(int threads) const override;
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override { return kernel_ ? kernel_->name : "reference"; }
  int64_t binary_macs() const override;

 private:
  explicit BConv2D(const BConv2DParams& params)
      : ChainOperation(params.channels_out), params_(params) {}
  Status CopyConstants(const BConv2DConstants& constants);
  Status PackWeights(const void* filter);
  void PackTransforms(const BConv2DConstants& constants);
  void PlaceInput(const WindowPlacement& rows, const WindowPlacement& columns);
  void PlaceTaps();
  Status PlacePadding(const WindowPlacement& rows, const WindowPlacement& columns);
  void RunReference(const Arguments& arguments) const;
  void CopyInput(const uint32_t* input, uint32_t* copy, size_t first, size_t last) const;
  size_t GatheredBytes() const;
  size_t PointersPerThread() const;
  size_t PointerBytes(int threads) const;

  const BConv2DParams params_;
  const BConv2DKernel* kernel_ = nullptr;  // null: the reference
  // For the reference: the constants as they came.
  AlignedBuffer filter_, multiplier_, bias_, threshold_;
  // For the kernels; arrays of 32 a block.
  AlignedBuffer weights_;
  std::vector<BConv2DBlock> blocks_;
  std::vector<float> multipliers_, biases_;
  std::vector<int32_t> thresholds_;
  std::vector<int32_t> tap_counts_;  // set bits of each filter's taps, [channel][tap]
  // Per shape.
  Shape input_, output_;
  BConv2DJob job_{};
  AlignedBuffer zeros_, correction_;
  std::vector<ptrdiff_t> tap_offsets_;
  std::vector<int32_t> row_class_, column_class_;
  bool by_channels_ = false;  // is how threads share it
  size_t copy_words_ = 0;     // of the input's copy that the kernel reads; 0: it reads the input
  ptrdiff_t copied_top_ = 0, copied_left_ = 0;  // padding in it
};

}  // namespace tflbnn
