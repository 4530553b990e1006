#include "core/elementwise/elementwise.h"

#include <utility>

#include "core/work.h"

namespace tflbnn {
namespace {

constexpr size_t kGrain = 64;  // rows

void RunReference(const ElementwiseJob& job, size_t first, size_t last) {
  for (auto row = static_cast<ptrdiff_t>(first); row < static_cast<ptrdiff_t>(last); ++row) {
    for (int channel = 0; channel < job.channels; ++channel) {
      ApplyStages(job.stages, job.stage_count, row, channel,
                  job.input[row * job.channels + channel]);
    }
  }
}

}  // namespace

Elementwise::Elementwise(Epilogue epilogue, Isa isa)
    : epilogue_(std::move(epilogue)),
      kernel_(Select(kElementwiseKernels, isa)),
      run_(kernel_ ? kernel_->run : RunReference) {
  if (epilogue_.Names() == "bits") name_ = "LceQuantize";
}

Status Elementwise::Resize(const Shape* inputs, Shape* outputs) {
  if (inputs[0].rank < 1) return Status::Error("Elementwise: the input must have a dimension");
  rows_ = inputs[0].Rows();
  const Status status = epilogue_.Resize(inputs[0], inputs, outputs);
  return status.ok() ? status : Status::Error("Elementwise: %s", status.message().c_str());
}

void Elementwise::Run(const Arguments& arguments) const {
  if (rows_ == 0) return;
  const ElementwiseJob job{static_cast<const float*>(arguments.inputs[0]), epilogue_.channels(),
                           epilogue_.Bind(arguments, arguments.scratch), epilogue_.size()};
  const double work = static_cast<double>(rows_) * epilogue_.channels() / kFloatsPerNs;
  arguments.pool->ParallelFor(rows_, kGrain, work,
                              [&](size_t first, size_t last, int) { run_(job, first, last); });
}

}  // namespace tflbnn
