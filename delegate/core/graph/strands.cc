#include "core/graph/strands.h"

#include <cstddef>
#include <map>
#include <numeric>

namespace tflbnn {
namespace {

// At least so much of a graph must run beside each other: one of two steps.
constexpr int kLeastShare = 2;
// The most steps that come before. Each number of them is tried.
constexpr int kMostShared = 8;

}  // namespace

Strands FindStrands(const std::vector<StepValues>& steps) {
  const int count = static_cast<int>(steps.size());
  for (int shared = 0; shared <= kMostShared && shared < count; ++shared) {
    // Of each value that a later step writes: the strand, or kJoint where several write it or what
    // it is made of.
    constexpr int kJoint = -1;
    std::map<int, int> strand_of;
    Strands found;
    int beside = 0;
    for (int step = 0; step < count; ++step) {
      const StepValues& values = steps[static_cast<size_t>(step)];
      if (step < shared) {
        found.before.push_back(step);
        continue;
      }
      int strand = static_cast<int>(found.beside.size());
      bool first = true;
      for (int input : *values.inputs) {
        const auto written = strand_of.find(input);
        if (written == strand_of.end()) continue;
        strand = first || strand == written->second ? written->second : kJoint;
        first = false;
      }
      if (strand == kJoint) {
        found.after.push_back(step);
      } else {
        if (first) found.beside.emplace_back();
        found.beside[static_cast<size_t>(strand)].push_back(step);
        ++beside;
      }
      for (int output : *values.outputs) {
        const auto [written, fresh] = strand_of.emplace(output, strand);
        if (!fresh && written->second != strand) written->second = kJoint;
      }
    }
    if (found.beside.size() > 1 && beside >= count / kLeastShare) return found;
  }
  Strands none;
  none.before.resize(steps.size());
  std::iota(none.before.begin(), none.before.end(), 0);
  return none;
}

}  // namespace tflbnn
