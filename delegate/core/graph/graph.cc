#include "core/graph/graph.h"

#include <utility>

#include "core/graph/arena.h"

namespace tflbnn {

int Graph::AddValue(DataType type, bool external) {
  values_.push_back({type, external, Shape(), 0, nullptr, {}});
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
  TFLBNN_RETURN_IF_ERROR(ReserveMemory(threads));
  return ResizeObservers(threads);
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

Status Graph::ResizeObservers(int threads) {
  if (observers_.empty()) return Status::Ok();
  std::vector<StepInfo> infos;
  const auto info = [this](int value) {
    const Value& v = values_[value];
    return ValueInfo{v.type, v.shape, v.bytes, v.name};
  };
  for (const Step& step : steps_) {
    infos.push_back({step.operation.get(), {}, {info(step.output)}});
    for (int input : step.inputs) infos.back().inputs.push_back(info(input));
  }
  for (const auto& observer : observers_) {
    TFLBNN_RETURN_IF_ERROR(observer->Resize(infos, threads));
  }
  return Status::Ok();
}

Status Graph::Run(ThreadPool* pool) const {
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    for (size_t i = 0; i < step.inputs.size(); ++i)
      step.arguments[i] = values_[step.inputs[i]].data;
    const Operation::Arguments arguments = {step.arguments.data(), values_[step.output].data,
                                            step.scratch, pool};
    for (const auto& observer : observers_) observer->Before(s, arguments);
    step.operation->Run(arguments);
    for (size_t i = observers_.size(); i-- > 0;) {
      TFLBNN_RETURN_IF_ERROR(observers_[i]->After(s, arguments));
    }
  }
  return Status::Ok();
}

std::vector<std::unique_ptr<Operation>> Graph::TakeOperations() {
  std::vector<std::unique_ptr<Operation>> operations;
  for (Step& step : steps_) operations.push_back(std::move(step.operation));
  steps_.clear();
  return operations;
}

}  // namespace tflbnn
