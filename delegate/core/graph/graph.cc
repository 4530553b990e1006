#include "core/graph/graph.h"

#include <utility>

#include "core/graph/arena.h"

namespace tflbnn {

int Graph::AddValue(DataType type, bool external) {
  values_.push_back({type, external, Shape(), 0, nullptr});
  return static_cast<int>(values_.size()) - 1;
}

void Graph::AddOperation(std::unique_ptr<Operation> operation, std::vector<int> inputs,
                         int output) {
  Step step;
  step.operation = std::move(operation);
  step.arguments.resize(inputs.size());
  step.inputs = std::move(inputs);
  step.output = output;
  steps_.push_back(std::move(step));
}

Status Graph::Resize(int threads) {
  TFLBNN_RETURN_IF_ERROR(InferShapes());
  return ReserveMemory(threads);
}

Status Graph::InferShapes() {
  std::vector<Shape> inputs;
  for (Step& step : steps_) {
    inputs.clear();
    for (int input : step.inputs) {
      Value& value = values_[input];
      if (!ByteSize(value.type, value.shape, &value.bytes)) {
        return Status::Error("%s: impossible shape %s", step.operation->name(),
                             value.shape.ToString().c_str());
      }
      inputs.push_back(value.shape);
    }
    Value& output = values_[step.output];
    TFLBNN_RETURN_IF_ERROR(step.operation->Resize(inputs.data(), &output.shape));
    if (!ByteSize(output.type, output.shape, &output.bytes)) {
      return Status::Error("%s: the output's shape %s is too large", step.operation->name(),
                           output.shape.ToString().c_str());
    }
  }
  return Status::Ok();
}

Status Graph::ReserveMemory(int threads) {
  // Buffers 0 .. values-1 are the values, then each step's scratch.
  const int values = static_cast<int>(values_.size()), steps = static_cast<int>(steps_.size());
  std::vector<ArenaBuffer> buffers(values_.size() + steps_.size());
  for (int i = 0; i < steps; ++i) {
    const Step& step = steps_[i];
    ArenaBuffer& output = buffers[step.output];
    output = {values_[step.output].external ? 0 : values_[step.output].bytes, i, i, 0};
    for (int input : step.inputs) buffers[input].last = i;
    buffers[values + i] = {step.operation->ScratchBytes(threads), i, i, 0};
  }
  const size_t bytes = PlanArena(&buffers);
  if (!arena_.Allocate(bytes)) {
    return Status::Error("no memory for %zu bytes of intermediate results", bytes);
  }
  for (int i = 0; i < values; ++i) {
    if (!values_[i].external) values_[i].data = arena_.data() + buffers[i].offset;
  }
  for (int i = 0; i < steps; ++i) steps_[i].scratch = arena_.data() + buffers[values + i].offset;
  return Status::Ok();
}

void Graph::Run(ThreadPool* pool) const {
  for (const Step& step : steps_) {
    // An empty tensor may still have billions of rows.
    if (values_[step.output].bytes == 0) continue;
    for (size_t i = 0; i < step.inputs.size(); ++i)
      step.arguments[i] = values_[step.inputs[i]].data;
    step.operation->Run({step.arguments.data(), values_[step.output].data, step.scratch, pool});
  }
}

}  // namespace tflbnn
