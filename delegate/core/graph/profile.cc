#include "core/graph/profile.h"

#include <algorithm>

namespace tflbnn {

Status Profile::Resize(const std::vector<StepInfo>& steps, int) {
  const std::lock_guard<std::mutex> lock(mutex_);
  steps_.clear();
  for (const StepInfo& info : steps) {
    Step step{};
    step.profile.operation = info.operation->name();
    step.profile.kernel = info.operation->kernel();
    step.profile.stages = info.operation->stages();
    step.profile.inputs = info.inputs;
    step.profile.outputs = info.outputs;
    step.profile.binary_macs = info.operation->binary_macs();
    steps_.push_back(std::move(step));
  }
  return Status::Ok();
}

void Profile::Before(size_t, const Operation::Arguments&) {
  start_ = std::chrono::steady_clock::now();
}

Status Profile::After(size_t step, const Operation::Arguments&) {
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start_;
  const std::lock_guard<std::mutex> lock(mutex_);
  OperationProfile& profile = steps_[step].profile;
  const double ms = took.count();
  steps_[step].samples_ms[static_cast<size_t>(profile.runs) % kSamples] = ms;
  profile.best_ms = profile.runs ? std::min(profile.best_ms, ms) : ms;
  profile.total_ms += ms;
  ++profile.runs;
  return Status::Ok();
}

std::vector<OperationProfile> Profile::Read() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<OperationProfile> result;
  for (const Step& step : steps_) {
    result.push_back(step.profile);
    const size_t count = std::min(kSamples, static_cast<size_t>(step.profile.runs));
    if (count == 0) continue;
    std::vector<double> samples(step.samples_ms.begin(),
                                step.samples_ms.begin() + static_cast<ptrdiff_t>(count));
    std::sort(samples.begin(), samples.end());
    result.back().median_ms = (samples[(count - 1) / 2] + samples[count / 2]) / 2;
  }
  return result;
}

}  // namespace tflbnn
