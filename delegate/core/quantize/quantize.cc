#include "core/quantize/quantize.h"

#include <cstring>
#include <limits>

#include "core/quantize/dispatch.h"
#include "core/quantize/reference.h"

namespace tflbnn {
namespace {

constexpr size_t kGrain = 64;  // rows

using RunFunction = void (*)(const QuantizeJob&, size_t, size_t);

RunFunction Select(DataType input, Isa isa) {
  const QuantizeKernel* kernel = SelectQuantize(isa);
  if (input == DataType::kInt8) return kernel ? kernel->int8 : QuantizeReferenceInt8;
  return kernel ? kernel->float32 : QuantizeReferenceFloat32;
}

template <class T>
void Unpack(const uint32_t* bits, int channels, T positive, T negative, size_t first, size_t last,
            T* output) {
  const ptrdiff_t words = WordsForChannels(channels);
  for (size_t row = first; row < last; ++row) {
    const uint32_t* in = bits + static_cast<ptrdiff_t>(row) * words;
    T* out = output + static_cast<ptrdiff_t>(row) * channels;
    for (int c = 0; c < channels; ++c) out[c] = in[c / 32] >> (c % 32) & 1 ? negative : positive;
  }
}

}  // namespace

Quantize::Quantize(DataType input, int32_t zero_point, Isa isa)
    : type_(input), zero_point_(zero_point), run_(Select(input, isa)) {}

Quantize::Quantize(const std::vector<float>& threshold, const std::vector<bool>& sign, Isa isa)
    : type_(DataType::kFloat32),
      run_(Select(DataType::kFloat32, isa)),
      threshold_channels_(static_cast<ptrdiff_t>(threshold.size())) {
  const size_t lanes = static_cast<size_t>(WordsForChannels(threshold_channels_)) * 32;
  threshold_ = threshold;
  threshold_.resize(lanes, -std::numeric_limits<float>::infinity());
  sign_.assign(lanes, 0);
  for (size_t i = 0; i < sign.size(); ++i) sign_[i] = sign[i] ? INT32_MIN : 0;
}

Status Quantize::Resize(const Shape* inputs, Shape* output) {
  if (inputs[0].rank < 1) return Status::Error("LceQuantize: the input must have a dimension");
  *output = inputs[0];
  channels_ = inputs[0].last();
  if (threshold_channels_ >= 0 && channels_ != threshold_channels_) {
    return Status::Error("LceQuantize: %td thresholds do not fit the input %s", threshold_channels_,
                         inputs[0].ToString().c_str());
  }
  output->dims[output->rank - 1] = static_cast<int32_t>(WordsForChannels(channels_));
  rows_ = inputs[0].Rows();
  return Status::Ok();
}

void Quantize::Run(const Arguments& arguments) const {
  QuantizeJob job{arguments.inputs[0],
                  static_cast<uint32_t*>(arguments.outputs[0]),
                  channels_,
                  0,
                  nullptr,
                  nullptr};
  if (channels_ == 0) return;
  if (threshold_channels_ >= 0) {
    job.threshold = threshold_.data();
    job.sign = sign_.data();
  }
  if (type_ == DataType::kInt8) {
    // A zero point that int8 cannot hold: nothing is below it, or everything.
    if (zero_point_ > 127) {
      memset(job.output, 0xFF, rows_ * static_cast<size_t>(WordsForChannels(channels_)) * 4);
      if (channels_ % 32) {
        const size_t words = static_cast<size_t>(WordsForChannels(channels_));
        for (size_t row = 1; row <= rows_; ++row)
          job.output[row * words - 1] = (1u << (channels_ % 32)) - 1;
      }
      return;
    }
    job.zero_point = static_cast<int8_t>(zero_point_ < -128 ? -128 : zero_point_);
  }
  arguments.pool->ParallelFor(rows_, kGrain,
                              [&](size_t first, size_t last, int) { run_(job, first, last); });
}

Status Dequantize::Resize(const Shape* inputs, Shape* output) {
  if (inputs[0].rank < 1 || channels_ < 1 || inputs[0].last() != WordsForChannels(channels_)) {
    return Status::Error("LceDequantize: %d channels do not fit the input %s", channels_,
                         inputs[0].ToString().c_str());
  }
  *output = inputs[0];
  output->dims[output->rank - 1] = channels_;
  rows_ = inputs[0].Rows();
  return Status::Ok();
}

void Dequantize::Run(const Arguments& arguments) const {
  const auto* bits = static_cast<const uint32_t*>(arguments.inputs[0]);
  arguments.pool->ParallelFor(rows_, kGrain, [&](size_t first, size_t last, int) {
    if (type_ == DataType::kInt8) {
      Unpack(bits, channels_, static_cast<int8_t>(positive_), static_cast<int8_t>(negative_), first,
             last, static_cast<int8_t*>(arguments.outputs[0]));
    } else {
      Unpack(bits, channels_, positive_, negative_, first, last,
             static_cast<float*>(arguments.outputs[0]));
    }
  });
}

}  // namespace tflbnn
