#include "core/graph/profile.h"

#include <algorithm>
#include <utility>

#include "core/clock.h"

namespace tflbnn {
namespace {

// Raising the clock halts the core for more than a trial, which must not be the only one.
constexpr int kClockTrials = 4;

}  // namespace

double Median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return (samples[(samples.size() - 1) / 2] + samples[samples.size() / 2]) / 2;
}

Status Profile::Resize(const std::vector<StepInfo>& steps, int) {
  const std::lock_guard<std::mutex> lock(mutex_);
  steps_.clear();
  clock_count_ = 0;
  until_clock_ = 1;
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
  if (--until_clock_ == 0) {
    clocks_[clock_count_++ % kSamples] = CyclesPerSecond(kClockTrials);
    until_clock_ = steps_.size() + 1;
  }
  OperationProfile& profile = steps_[step].profile;
  const double ms = took.count();
  steps_[step].samples_ms[static_cast<size_t>(profile.runs) % kSamples] = ms;
  profile.best_ms = profile.runs ? std::min(profile.best_ms, ms) : ms;
  profile.total_ms += ms;
  ++profile.runs;
  return Status::Ok();
}

std::vector<double> Profile::Clocks() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t count = std::min(kSamples, clock_count_);
  return {clocks_.begin(), clocks_.begin() + static_cast<ptrdiff_t>(count)};
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
    result.back().median_ms = Median(std::move(samples));
  }
  return result;
}

}  // namespace tflbnn
