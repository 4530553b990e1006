#include "tflite/plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/elementwise/elementwise.h"
#include "core/quantize/affine_threshold.h"

namespace tflbnn {

int Channels(const View& view) {
  int channels = 0;
  for (const Segment& segment : view) channels += segment.channels;
  return channels;
}

void Plan::Add(std::unique_ptr<Operation> operation, std::vector<int> inputs, int output) {
  Step step;
  step.operation = std::move(operation);
  step.inputs = std::move(inputs);
  step.outputs = {output};
  makers_[output] = steps_.size();
  stored_.insert(output);
  steps_.push_back(std::move(step));
}

void Plan::AddEarly(std::unique_ptr<Operation> operation, int input, int output) {
  const int other_part = MakerOf(output);
  Add(std::move(operation), {input}, output);
  steps_.back().early = true;
  steps_.back().after = MakerOf(input);
  // Whole it is when the last part is there.
  if (PlaceOf(other_part) > PlaceOf(MakerOf(output)))
    makers_[output] = static_cast<size_t>(other_part);
}

void Plan::AddChain(std::unique_ptr<ChainOperation> operation, int channels, int input,
                    const Limits& limits, int output) {
  const int result = limits.none() ? output : NewTensor();
  Step step;
  step.head = operation.get();
  step.channels = channels;
  step.operation = std::move(operation);
  step.inputs = {input};
  step.made = {{result, 0}};
  makers_[result] = steps_.size();
  steps_.push_back(std::move(step));
  if (!limits.none()) Limit(result, limits, output);
}

View Plan::Read(int tensor) const {
  const auto view = views_.find(tensor);
  if (view != views_.end()) return view->second;
  const auto stored = stored_views_.find(tensor);
  if (stored != stored_views_.end()) return {{tensor, stored->second, {}}};
  // What a model says of a tensor that we make need not be true.
  const auto maker = makers_.find(tensor);
  if (maker != makers_.end() && !steps_[maker->second].made.empty())
    return {{tensor, steps_[maker->second].channels, {}}};
  const TfLiteIntArray& dims = *context_->tensors[tensor].dims;
  return {{tensor, dims.data[dims.size - 1], {}}};
}

int Plan::MakerOf(int tensor) const {
  const auto maker = makers_.find(tensor);
  return maker == makers_.end() ? -1 : static_cast<int>(maker->second);
}

bool Plan::Before(int tensor, size_t step) const {
  const int maker = MakerOf(tensor);
  return PlaceOf(maker) < static_cast<int>(step);
}

int Plan::PlaceOf(int step) const {
  return step >= 0 && steps_[static_cast<size_t>(step)].early
             ? steps_[static_cast<size_t>(step)].after
             : step;
}

size_t Plan::Load(int tensor) {
  Store(tensor);
  Step step;
  step.channels = Channels(Read(tensor));
  step.inputs = {tensor};
  step.made = {{tensor, 0}};
  steps_.push_back(std::move(step));
  return steps_.size() - 1;
}

size_t Plan::ChainOf(int tensor) {
  const auto maker = makers_.find(tensor);
  if (maker != makers_.end()) {
    const std::vector<Made>& made = steps_[maker->second].made;
    if (std::any_of(made.begin(), made.end(), [&](const Made& m) { return m.tensor == tensor; }))
      return maker->second;
  }
  const auto loader = loaders_.find(tensor);
  if (loader != loaders_.end()) return loader->second;
  const size_t step = Load(tensor);
  loaders_[tensor] = step;
  return step;
}

void Plan::Observe(int tensor, Stage stage) {
  Step& step = steps_[ChainOf(tensor)];
  auto made = std::find_if(step.made.begin(), step.made.end(),
                           [&](const Made& m) { return m.tensor == tensor; });
  step.stages.insert(step.stages.begin() + static_cast<ptrdiff_t>(made->end), std::move(stage));
  for (; made != step.made.end(); ++made) ++made->end;
}

void Plan::Transform(int from, Stage stage, int to) {
  if (views_.count(from)) Store(from);
  if (stage.tensor >= 0) Store(stage.tensor);
  size_t chain = ChainOf(from);
  if (steps_[chain].made.back().tensor != from ||
      (stage.tensor >= 0 && !Before(stage.tensor, chain))) {
    chain = Load(from);
  }
  Step& step = steps_[chain];
  step.stages.push_back(std::move(stage));
  step.made.push_back({to, step.stages.size()});
  makers_[to] = chain;
}

void Plan::Limit(int from, const Limits& limits, int to) {
  Stage clamp{StageKind::kClamp, {}, {}};
  clamp.low = limits.low;
  clamp.high = limits.high;
  Transform(from, std::move(clamp), to);
}

// The tensor that holds `from` after the affine map: `to`, or a new one where that is -1.
int Plan::Apply(const Affine& affine, int from, int to) {
  const auto name = [&](bool last) { return last && to != -1 ? to : NewTensor(); };
  if (!affine.multiplier.empty()) {
    const int product = name(affine.addend.empty());
    Transform(from, {StageKind::kMultiply, affine.multiplier, {}}, product);
    from = product;
  }
  if (!affine.addend.empty()) {
    const int sum = name(true);
    Transform(from, {StageKind::kAdd, affine.addend, {}}, sum);
    from = sum;
  }
  return from;
}

void Plan::Store(int tensor) {
  const auto store = [&](int from, int total, int first) {
    Stage stage{StageKind::kStore, {}, {}};
    stage.tensor = tensor;
    stage.total = total;
    stage.first = first;
    Observe(from, std::move(stage));
  };
  const auto found = views_.find(tensor);
  if (found != views_.end()) {
    const View view = found->second;
    views_.erase(found);
    if (view.size() == 1 && !view[0].affine.empty()) {
      Apply(view[0].affine, view[0].tensor, tensor);
    } else {
      const int total = Channels(view);
      int first = 0;
      size_t last = 0;
      for (const Segment& segment : view) {
        const int from = Apply(segment.affine, segment.tensor, -1);
        store(from, total, first);
        first += segment.channels;
        last = std::max(last, ChainOf(from));
      }
      makers_[tensor] = last;
      stored_views_[tensor] = total;
      stored_.insert(tensor);
      return;
    }
  }
  if (!makers_.count(tensor) || !stored_.insert(tensor).second) return;
  store(tensor, Channels(Read(tensor)), 0);
}

void Plan::Signs(const Segment& segment, int total, int first, int output) {
  const size_t channels = static_cast<size_t>(segment.channels);
  const Affine& affine = segment.affine;
  Stage stage{StageKind::kBits, {}, {}};
  stage.tensor = output;
  stage.total = total;
  stage.first = first;
  int source = segment.tensor;
  if (!affine.empty()) {
    bool exact = true;
    stage.values.resize(channels);
    stage.negate.resize(channels);
    for (size_t i = 0; exact && i < channels; ++i) {
      // Multiplying by 1 and adding -0 change nothing, not even a zero's sign.
      bool negate = false;
      exact = AffineThreshold(affine.multiplier.empty() ? 1.f : affine.multiplier[i],
                              affine.addend.empty() ? -0.f : affine.addend[i], &stage.values[i],
                              &negate);
      stage.negate[i] = negate;
    }
    if (!exact) {
      source = Apply(affine, source, -1);
      stage.values.clear();
      stage.negate.clear();
    }
  }
  if (options_.fusions.on(FusionName::quantize)) {
    Observe(source, std::move(stage));
  } else {
    Step& step = steps_[Load(source)];
    step.stages = {std::move(stage)};
  }
}

Epilogue Plan::MakeEpilogue(Step* step) {
  Epilogue epilogue(step->channels);
  const auto number = [](std::vector<int>* list, int tensor) {
    const auto at = std::find(list->begin(), list->end(), tensor);
    const int index = static_cast<int>(at - list->begin());
    if (at == list->end()) list->push_back(tensor);
    return index;
  };
  for (const Stage& stage : step->stages) {
    switch (stage.kind) {
      case StageKind::kMultiply:
        epilogue.Multiply(stage.values);
        break;
      case StageKind::kGate:
        epilogue.Gate(number(&step->inputs, stage.tensor));
        break;
      case StageKind::kAdd:
        epilogue.Add(stage.values);
        break;
      case StageKind::kPRelu:
        epilogue.PRelu(stage.values);
        break;
      case StageKind::kClamp:
        epilogue.Clamp(stage.low, stage.high);
        break;
      case StageKind::kAddTensor:
        epilogue.AddTensor(number(&step->inputs, stage.tensor));
        break;
      case StageKind::kStore:
        epilogue.Store(number(&step->outputs, stage.tensor), stage.total, stage.first);
        break;
      case StageKind::kBits:
        epilogue.Bits(number(&step->outputs, stage.tensor), stage.total, stage.first, stage.values,
                      stage.negate);
        break;
    }
  }
  return epilogue;
}

std::set<int> Plan::Written() const {
  std::set<int> tensors;
  for (const Step& step : steps_) {
    tensors.insert(step.outputs.begin(), step.outputs.end());
    for (const Stage& stage : step.stages) {
      if (stage.kind == StageKind::kStore || stage.kind == StageKind::kBits)
        tensors.insert(stage.tensor);
    }
  }
  return tensors;
}

Status Plan::Build(Graph* graph, const std::function<Status(int tensor, int* value)>& value) {
  std::vector<int> order(steps_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return PlaceOf(a) < PlaceOf(b); });
  for (const int i : order) {
    Step& step = steps_[static_cast<size_t>(i)];
    if (!step.made.empty()) {
      Epilogue epilogue = MakeEpilogue(&step);
      if (step.head) {
        step.head->SetEpilogue(std::move(epilogue));
      } else {
        step.operation = std::make_unique<Elementwise>(std::move(epilogue), options_.kernel);
      }
    }
    for (std::vector<int>* list : {&step.inputs, &step.outputs}) {
      for (int& tensor : *list) TFLBNN_RETURN_IF_ERROR(value(tensor, &tensor));
    }
    graph->AddOperation(std::move(step.operation), std::move(step.inputs), std::move(step.outputs));
  }
  return Status::Ok();
}

}  // namespace tflbnn
