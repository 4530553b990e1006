// What looks on while a graph runs: profiles and verification.
#pragma once

#include <string>
#include <vector>

#include "core/operation.h"

namespace tflbnn {

struct ValueInfo {
  DataType type;
  Shape shape;
  size_t bytes = 0;
  std::string name;  // as the model calls it; may be empty
};

struct StepInfo {
  const Operation* operation;
  std::vector<ValueInfo> inputs, outputs;
};

class Observer {
 public:
  virtual ~Observer() = default;
  // Whenever shapes were inferred; the place to reserve memory, for a pool of `threads`.
  virtual Status Resize(const std::vector<StepInfo>& steps, int threads) = 0;
  // Around the run of each operation. An error ends the graph's run.
  virtual void Before(size_t step, const Operation::Arguments& arguments) = 0;
  virtual Status After(size_t step, const Operation::Arguments& arguments) = 0;
};

}  // namespace tflbnn
