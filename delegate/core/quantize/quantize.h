// LceQuantize and LceDequantize: between numbers and signs, along the last axis.
#pragma once

#include <memory>
#include <vector>

#include "core/cpu_features.h"
#include "core/operation.h"
#include "core/quantize/kernel.h"

namespace tflbnn {

class Quantize : public Operation {
 public:
  // Numbers below zero, that is below `zero_point` of an int8 input, become a set bit. NaN does
  // not.
  Quantize(DataType input, int32_t zero_point, Isa isa);
  // Float numbers x: sign ? -x < threshold : x < threshold, for each channel.
  Quantize(const std::vector<float>& threshold, const std::vector<bool>& sign, Isa isa);

  const char* name() const override { return "LceQuantize"; }
  Status Resize(const Shape* inputs, Shape* output) override;
  void Run(const Arguments& arguments) const override;
  const char* kernel() const override;

 private:
  const DataType type_;
  const Isa isa_;
  const int32_t zero_point_ = 0;
  void (*const run_)(const QuantizeJob& job, size_t first_row, size_t last_row);
  const ptrdiff_t threshold_channels_ = -1;
  std::vector<float> threshold_;
  std::vector<int32_t> sign_;
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
