#include "core/quantize/quantize.h"

#include <cstring>

#include "core/quantize/dispatch.h"
#include "core/quantize/reference.h"
#include "core/work.h"

namespace tflbnn {
namespace {

constexpr size_t kGrain = 64;  // rows

double Work(size_t rows, int channels) {
  return static_cast<double>(rows) * channels / kFloatsPerNs;
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

Quantize::Quantize(int32_t zero_point, Isa isa)
    : isa_(isa),
      zero_point_(zero_point),
      run_(isa == Isa::kReference ? QuantizeReference : Select(kQuantizeKernels, isa)->run) {}

Status Quantize::Resize(const Shape* inputs, Shape* output) {
  if (inputs[0].rank < 1) return Status::Error("LceQuantize: the input must have a dimension");
  *output = inputs[0];
  channels_ = inputs[0].last();
  output->dims[output->rank - 1] = static_cast<int32_t>(WordsForChannels(channels_));
  rows_ = inputs[0].Rows();
  return Status::Ok();
}

void Quantize::Run(const Arguments& arguments) const {
  QuantizeJob job{static_cast<const int8_t*>(arguments.inputs[0]),
                  static_cast<uint32_t*>(arguments.outputs[0]), channels_, 0};
  if (channels_ == 0) return;
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
  arguments.pool->ParallelFor(rows_, kGrain, Work(rows_, channels_),
                              [&](size_t first, size_t last, int) { run_(job, first, last); });
}

const char* Quantize::kernel() const {
  const QuantizeKernel* kernel = Select(kQuantizeKernels, isa_);
  return kernel ? kernel->name : "reference";
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
  arguments.pool->ParallelFor(
      rows_, kGrain, Work(rows_, channels_), [&](size_t first, size_t last, int) {
        if (type_ == DataType::kInt8) {
          Unpack(bits, channels_, static_cast<int8_t>(positive_), static_cast<int8_t>(negative_),
                 first, last, static_cast<int8_t*>(arguments.outputs[0]));
        } else {
          Unpack(bits, channels_, positive_, negative_, first, last,
                 static_cast<float*>(arguments.outputs[0]));
        }
      });
}

}  // namespace tflbnn
