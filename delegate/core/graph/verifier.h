// Runs the reference kernels beside every operation, on the same inputs, and reports the first
// difference.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/graph/observer.h"

namespace tflbnn {

class Verifier : public Observer {
 public:
  // One reference for each operation of the graph, in its order; `where` names the graph.
  Verifier(std::vector<std::unique_ptr<Operation>> references, std::string where)
      : references_(std::move(references)), where_(std::move(where)) {}

  Status Resize(const std::vector<StepInfo>& steps, int threads) override;
  void Before(size_t step, const Operation::Arguments& arguments) override;
  Status After(size_t step, const Operation::Arguments& arguments) override;

 private:
  std::string Name(size_t step) const;

  const std::vector<std::unique_ptr<Operation>> references_;
  const std::string where_;
  std::vector<StepInfo> steps_;
  AlignedBuffer memory_;  // the outputs of one step, then its scratch
  std::vector<void*> outputs_;
};

}  // namespace tflbnn
