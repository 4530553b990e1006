#include "core/graph/graph.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/graph/strands.h"

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

void Graph::FindBeside() {
  strands_found_ = true;
  std::vector<StepValues> values;
  for (const Step& step : steps_) values.push_back({&step.inputs, &step.outputs});
  const Strands strands = FindStrands(values);
  if (strands.beside.empty()) return;
  std::vector<int> order = strands.before;
  for (const Strand& strand : strands.beside) {
    const int begin = static_cast<int>(order.size());
    order.insert(order.end(), strand.begin(), strand.end());
    beside_.push_back({begin, static_cast<int>(order.size())});
  }
  order.insert(order.end(), strands.after.begin(), strands.after.end());
  std::vector<Step> steps;
  for (int i : order) steps.push_back(std::move(steps_[static_cast<size_t>(i)]));
  steps_ = std::move(steps);
}

Status Graph::Resize(int threads) {
  if (!strands_found_) FindBeside();
  // With fewer strands than threads, an operation's own pieces are the better share. Observers see
  // one operation at a time.
  parallel_ = threads > 1 && static_cast<int>(beside_.size()) >= threads && observers_.empty();
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
  std::vector<Part> parts;
  if (parallel_) parts = SetApart(&buffers);
  arena_bytes_ = PlanArena(&buffers);
  for (const Part& part : parts)
    buffers[part.buffer].offset = buffers[part.of].offset + part.offset;
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
      // Another strand may still read what was there before all of them.
      const bool others = std::any_of(beside_.begin(), beside_.end(), [&](Range strand) {
        return strand.begin <= i && i < strand.end && from.first < strand.begin;
      });
      if (!once || others || values_[input].external || values_[output].external ||
          from.last != i || to.first != i || values_[input].bytes != values_[output].bytes) {
        continue;
      }
      from.last = std::max(to.last, i + 1);  // and is not taken over twice
      to.bytes = 0;
      (*owner)[output] = (*owner)[input];
    }
  }
}

std::vector<Graph::Part> Graph::SetApart(std::vector<ArenaBuffer>* buffers) const {
  std::vector<Part> parts;
  const int begin = beside_.front().begin, end = beside_.back().end;
  const size_t count = buffers->size();
  for (const Range& strand : beside_) {
    std::vector<ArenaBuffer> own;
    std::vector<size_t> numbers;
    for (size_t i = 0; i < count; ++i) {
      const ArenaBuffer& buffer = (*buffers)[i];
      if (buffer.bytes == 0 || buffer.first < strand.begin || buffer.last >= strand.end) continue;
      own.push_back(buffer);
      numbers.push_back(i);
    }
    const size_t bytes = PlanArena(&own);
    for (size_t i = 0; i < own.size(); ++i) {
      (*buffers)[numbers[i]].bytes = 0;
      parts.push_back({numbers[i], buffers->size(), own[i].offset});
    }
    buffers->push_back({bytes, begin, end - 1, 0});
  }
  for (size_t i = 0; i < count; ++i) {
    ArenaBuffer& buffer = (*buffers)[i];
    if (buffer.first >= begin && buffer.first < end) buffer.first = begin;
    if (buffer.last >= begin && buffer.last < end) buffer.last = end - 1;
  }
  return parts;
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
  const int steps = static_cast<int>(steps_.size());
  if (!parallel_) return RunSteps({0, steps}, arena, pool);
  // Threads share the operations of the strands that would leave half of them idle. These come
  // first, as workers wake meanwhile.
  pool->Wake();
  const size_t threads = static_cast<size_t>(pool->size()), rest = beside_.size() % threads;
  const size_t shared = 2 * rest > threads ? 0 : rest;
  TFLBNN_RETURN_IF_ERROR(RunSteps({0, beside_[shared].begin}, arena, pool));
  pool->ParallelFor(beside_.size() - shared, 1, std::numeric_limits<double>::infinity(),
                    [&](size_t first, size_t last, int) {
                      // Only observers fail, and there are none.
                      for (size_t i = first; i < last; ++i)
                        static_cast<void>(RunSteps(beside_[shared + i], arena, pool));
                    });
  return RunSteps({beside_.back().end, steps}, arena, pool);
}

Status Graph::RunSteps(Range range, uint8_t* arena, ThreadPool* pool) const {
  const auto at = [&](int index) -> void* {
    const Value& value = values_[index];
    return value.external ? value.data : arena + value.offset;
  };
  for (auto s = static_cast<size_t>(range.begin); s < static_cast<size_t>(range.end); ++s) {
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
