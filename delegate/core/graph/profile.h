// How long each operation of a graph takes.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "core/graph/observer.h"

namespace tflbnn {

struct OperationProfile {
  std::string operation, kernel, stages;
  std::vector<ValueInfo> inputs, outputs;
  int64_t binary_macs = 0;                          // of one run
  int64_t runs = 0;                                 // since the shapes last changed
  double total_ms = 0, median_ms = 0, best_ms = 0;  // the median is that of the last kSamples runs
};

// Of one sample at least.
double Median(std::vector<double> samples);

// Written by the thread that runs the graph, read by any.
class Profile : public Observer {
 public:
  static constexpr size_t kSamples = 128;

  Status Resize(const std::vector<StepInfo>& steps, int threads) override;
  void Before(size_t step, const Operation::Arguments& arguments) override;
  Status After(size_t step, const Operation::Arguments& arguments) override;

  std::vector<OperationProfile> Read() const;
  // Cycles a second, the last kSamples of them: measured once a run, behind each operation in turn.
  // Right behind, because many processors lower their clock while their vector units work, and
  // raise it some microseconds later.
  std::vector<double> Clocks() const;

 private:
  struct Step {
    OperationProfile profile;
    std::array<double, kSamples> samples_ms;  // a ring
  };
  std::chrono::steady_clock::time_point start_;
  mutable std::mutex mutex_;
  std::vector<Step> steps_;
  size_t until_clock_ = 1;  // operations
  size_t clock_count_ = 0;
  std::array<double, kSamples> clocks_;  // a ring
};

}  // namespace tflbnn
