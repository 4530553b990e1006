#include "core/graph/graph.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tflbnn {

int Graph::AddValue(DataType type, bool external) {
  values_.push_back({type, external, false, Shape(), 0, 0, nullptr, {}});
  return static_cast<int>(values_.size()) - 1;
}

void Graph::AddOperation(std::unique_ptr<Operation> operation, std::vector<int> inputs,
                         std::vector<int> outputs) {
  Step step;
  step.operation = std::move(operation);
  step.in.resize(inputs.size());
  step.out.resize(outputs.size());
  step.inputs = std::move(inputs);
  step.outputs = std::move(outputs);
  steps_.push_back(std::move(step));
}

Status Graph::Resize(int threads) {
  TFLBNN_RETURN_IF_ERROR(InferShapes());
  LayOutMemory(threads);
  return ResizeObservers(threads);
}

Status Graph::InferShapes() {
  std::vector<Shape> inputs, outputs;
  for (Value& value : values_) value.written = false;
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
    outputs.assign(step.outputs.size(), Shape());
    TFLBNN_RETURN_IF_ERROR(step.operation->Resize(inputs.data(), outputs.data()));
    for (size_t i = 0; i < outputs.size(); ++i) {
      Value& output = values_[step.outputs[i]];
      if (output.written && !(output.shape == outputs[i])) {
        return Status::Error("%s: parts of one tensor have the shapes %s and %s",
                             step.operation->name(), output.shape.ToString().c_str(),
                             outputs[i].ToString().c_str());
      }
      output.shape = outputs[i];
      output.written = true;
      if (!ByteSize(output.type, output.shape, &output.bytes)) {
        return Status::Error("%s: the output's shape %s is too large", step.operation->name(),
                             output.shape.ToString().c_str());
      }
    }
  }
  return Status::Ok();
}

void Graph::LayOutMemory(int threads) {
  // Buffers 0 .. values-1 are the values, then each step's scratch.
  const int values = static_cast<int>(values_.size()), steps = static_cast<int>(steps_.size());
  std::vector<ArenaBuffer> buffers(values_.size() + steps_.size());
  for (ArenaBuffer& buffer : buffers) buffer.first = steps;
  for (int i = 0; i < steps; ++i) {
    const Step& step = steps_[i];
    for (const std::vector<int>* list : {&step.inputs, &step.outputs}) {
      for (int value : *list) {
        ArenaBuffer& buffer = buffers[value];
        buffer.bytes = values_[value].external ? 0 : values_[value].bytes;
        buffer.first = std::min(buffer.first, i);
        buffer.last = i;
      }
    }
    buffers[values + i] = {step.operation->ScratchBytes(threads), i, i, 0};
  }
  std::vector<int> owner(values_.size());
  std::iota(owner.begin(), owner.end(), 0);
  ShareMemory(&buffers, &owner);
  arena_bytes_ = PlanArena(&buffers);
  for (int i = 0; i < values; ++i) values_[i].offset = buffers[owner[i]].offset;
  for (int i = 0; i < steps; ++i) steps_[i].scratch = buffers[values + i].offset;
}

void Graph::ShareMemory(std::vector<ArenaBuffer>* buffers, std::vector<int>* owner) const {
  for (int i = 0; i < static_cast<int>(steps_.size()); ++i) {
    const Step& step = steps_[i];
    for (size_t k = 0; k < step.outputs.size(); ++k) {
      const int output = step.outputs[k];
      const int number = step.operation->OverwrittenInput(static_cast<int>(k));
      if (number < 0) continue;
      const int input = step.inputs[number];
      ArenaBuffer& from = (*buffers)[(*owner)[input]];
      ArenaBuffer& to = (*buffers)[output];
      const bool once = std::count(step.inputs.begin(), step.inputs.end(), input) == 1;
      if (!once || values_[input].external || values_[output].external || from.last != i ||
          to.first != i || values_[input].bytes != values_[output].bytes) {
        continue;
      }
      from.last = std::max(to.last, i + 1);  // and is not taken over twice
      to.bytes = 0;
      (*owner)[output] = (*owner)[input];
    }
  }
}

Status Graph::ResizeObservers(int threads) {
  if (observers_.empty()) return Status::Ok();
  std::vector<StepInfo> infos;
  const auto info = [this](const std::vector<int>& values) {
    std::vector<ValueInfo> result;
    for (int i : values) {
      const Value& value = values_[i];
      result.push_back({value.type, value.shape, value.bytes, value.name});
    }
    return result;
  };
  for (const Step& step : steps_)
    infos.push_back({step.operation.get(), info(step.inputs), info(step.outputs)});
  for (const auto& observer : observers_) {
    TFLBNN_RETURN_IF_ERROR(observer->Resize(infos, threads));
  }
  return Status::Ok();
}

Status Graph::Run(uint8_t* arena, ThreadPool* pool) const {
  const auto at = [&](int index) -> void* {
    const Value& value = values_[index];
    return value.external ? value.data : arena + value.offset;
  };
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    // Empty tensors may still have billions of rows.
    const bool empty = std::all_of(step.outputs.begin(), step.outputs.end(),
                                   [&](int output) { return values_[output].bytes == 0; });
    if (empty) continue;
    for (size_t i = 0; i < step.inputs.size(); ++i) step.in[i] = at(step.inputs[i]);
    for (size_t i = 0; i < step.outputs.size(); ++i) step.out[i] = at(step.outputs[i]);
    const Operation::Arguments arguments = {step.in.data(), step.out.data(), arena + step.scratch,
                                            pool};
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
