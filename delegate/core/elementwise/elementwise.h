// The stages of an epilogue over a tensor that another operation left in memory.
#pragma once

#include "core/cpu_features.h"
#include "core/dispatch.h"
#include "core/elementwise/kernel.h"
#include "core/epilogue/epilogue.h"

namespace tflbnn {

using ElementwiseEntry = KernelEntry<ElementwiseKernel>;

constexpr ElementwiseEntry kElementwiseKernels[] = {
#define ELEMENTWISE_KERNEL(isa, symbol) {isa, symbol},
#include "core/elementwise/kernels.inc"
#undef ELEMENTWISE_KERNEL
};

class Elementwise : public Operation {
 public:
  // Input 0 is the tensor; further inputs, and the outputs, are the epilogue's.
  Elementwise(Epilogue epilogue, Isa isa);

  const char* name() const override { return name_; }
  Status Resize(const Shape* inputs, Shape* outputs) override;
  size_t ScratchBytes(int /*threads*/) const override { return epilogue_.ScratchBytes(); }
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override { return kernel_ ? kernel_->name : "reference"; }
  std::string stages() const override { return epilogue_.Names(); }

 private:
  Epilogue epilogue_;
  const char* name_ = "Elementwise";
  const ElementwiseKernel* const kernel_;  // null: the reference
  void (*run_)(const ElementwiseJob& job, size_t first_row, size_t last_row);
  size_t rows_ = 0;
};

}  // namespace tflbnn
