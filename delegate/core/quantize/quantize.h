// LceQuantize of int8 and LceDequantize: between numbers and signs, along the last axis. (Signs of
// floats are a stage of core/epilogue.)
#pragma once

#include <memory>

#include "core/cpu_features.h"
#include "core/operation.h"
#include "core/quantize/kernel.h"

namespace tflbnn {

class Quantize : public Operation {
 public:
  // Numbers below `zero_point` become a set bit.
  Quantize(int32_t zero_point, Isa isa);

  const char* name() const override { return "LceQuantize"; }
  Status Resize(const Shape* inputs, Shape* output) override;
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override;

 private:
  const Isa isa_;
  const int32_t zero_point_;
  void (*const run_)(const QuantizeJob& job, size_t first_row, size_t last_row);
  size_t rows_ = 0;
  ptrdiff_t channels_ = 0;
};

class Dequantize : public Operation {
 public:
  // A clear bit becomes `positive`, a set bit `negative`, in an output of float32 or int8.
  // LceDequantize does not say how many channels its words hold; the model's output shape does.
  Dequantize(DataType output, float positive, float negative, int channels)
      : type_(output), positive_(positive), negative_(negative), channels_(channels) {}

  const char* name() const override { return "LceDequantize"; }
  Status Resize(const Shape* inputs, Shape* output) override;
  void Run(const Arguments& arguments) const override;

 private:
  const DataType type_;
  const float positive_, negative_;
  const int channels_;
  size_t rows_ = 0;
};

}  // namespace tflbnn
