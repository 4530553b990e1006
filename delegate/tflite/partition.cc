#include "tflite/partition.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/bconv2d/bconv2d.h"
#include "core/graph/verifier.h"
#include "tflite/fusion/fusion.h"
#include "tflite/int_array.h"
#include "tflite/lce_operations.h"

namespace tflbnn {

std::shared_ptr<AlignedBuffer> SharedState::ArenaOf(const TfLiteContext* context) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // A context that was freed may have left its address to another.
  for (auto it = arenas_.begin(); it != arenas_.end();)
    it = it->second.expired() ? arenas_.erase(it) : std::next(it);
  std::shared_ptr<AlignedBuffer> arena = arenas_[context].lock();
  if (!arena) {
    arena = std::make_shared<AlignedBuffer>();
    arenas_[context] = arena;
  }
  return arena;
}

namespace {

Status ResizeTensor(TfLiteContext* context, TfLiteTensor* tensor, const Shape& shape) {
  Shape present;
  if (TensorShape(*tensor, &present).ok() && present == shape) return Status::Ok();
  IntArray dims(std::vector<int>(shape.dims, shape.dims + shape.rank));
  if (!dims.get()) return Status::Error("no memory for a shape");
  if (context->ResizeTensor(context, tensor, dims.release()) != kTfLiteOk) {
    return Status::Error("an output could not be resized to %s", shape.ToString().c_str());
  }
  return Status::Ok();
}

}  // namespace

Status Partition::AddNode(Plan* plan, const NodeReader& node) {
  if (const Fusion* fusion = FusionOf(node, shared_->options.fusions))
    return fusion->add(plan, node);
  if (!IsLceNode(node)) return Status::Error("node %d is not the delegate's", node.index);
  if (IsFloatQuantize(node)) return quantize_fusion.add(plan, node);
  std::unique_ptr<Operation> operation;
  TFLBNN_RETURN_IF_ERROR(ReadLceOperation(node, shared_->options.kernel, &operation));
  const int input = node.node->inputs->data[0], output = node.node->outputs->data[0];
  if (IsFloatConvolution(node)) {
    std::unique_ptr<BConv2D> convolution(static_cast<BConv2D*>(operation.release()));
    const int channels = convolution->params().channels_out;
    plan->AddChain(std::move(convolution), channels, input, Limits(), output);
  } else {
    plan->Add(std::move(operation), {input}, output);
  }
  return Status::Ok();
}

Status Partition::Build(TfLiteContext* context, const TfLiteDelegateParams& params) {
  const TfLiteIntArray &nodes = *params.nodes_to_replace, &outputs = *params.output_tensors;
  const std::set<int> wanted(outputs.data, outputs.data + outputs.size);
  Plan plan(context, shared_->options, wanted);
  std::set<int> written;
  for (int i = 0; i < nodes.size; ++i) {
    NodeReader node{context, nodes.data[i]};
    TFLBNN_RETURN_IF_ERROR(node.Open());
    const TfLiteIntArray* writes = node.node->outputs;
    for (int k = 0; writes && k < writes->size; ++k) {
      if (!written.insert(writes->data[k]).second)
        return Status::Error("tensor %d is written twice", writes->data[k]);
    }
    TFLBNN_RETURN_IF_ERROR(AddNode(&plan, node));
  }
  for (int i = 0; i < outputs.size; ++i) plan.Store(outputs.data[i]);

  const std::set<int> made = plan.Written();
  std::map<int, int> values;  // of the graph, by tensor
  const auto value_of = [&](int tensor, int* value) {
    const auto known = values.find(tensor);
    if (known != values.end()) {
      *value = known->second;
      return Status::Ok();
    }
    DataType type = DataType::kFloat32;
    if (tensor >= 0) TFLBNN_RETURN_IF_ERROR(TensorType(context->tensors[tensor], &type));
    const bool output = wanted.count(tensor) > 0, input = made.count(tensor) == 0;
    *value = values[tensor] = graph_.AddValue(type, /*external=*/output || input);
    if (input) inputs_.push_back({tensor, *value});
    if (output) outputs_.push_back({tensor, *value});
    return Status::Ok();
  };
  TFLBNN_RETURN_IF_ERROR(plan.Build(&graph_, value_of));
  for (int tensor : wanted) {
    if (!values.count(tensor))
      return Status::Error("tensor %d is not produced by this partition", tensor);
  }
  return AddObservers(context, params, values);
}

Status Partition::AddObservers(TfLiteContext* context, const TfLiteDelegateParams& params,
                               const std::map<int, int>& values) {
  const Options& asked = shared_->options;
  if (!asked.profile && !asked.verify) return Status::Ok();
  for (const auto& [tensor, value] : values) {
    if (tensor < 0) continue;  // one of our own has no name
    const char* name = context->tensors[tensor].name;
    graph_.SetName(value, name ? name : "");
  }
  const int index = shared_->profiles.NextIndex();
  if (asked.verify) {
    // The same graph once more, of reference operations.
    Options options;
    options.kernel = Isa::kReference;
    options.fusions = asked.fusions;
    Partition reference(std::make_shared<SharedState>(options, /*threads=*/1));
    TFLBNN_RETURN_IF_ERROR(reference.Build(context, params));
    graph_.AddObserver(std::make_shared<Verifier>(reference.graph_.TakeOperations(),
                                                  "partition " + std::to_string(index)));
  }
  if (asked.profile) {
    const auto profile = std::make_shared<Profile>();
    shared_->profiles.Add(index, profile);
    graph_.AddObserver(profile);
  }
  return Status::Ok();
}

Status Partition::Prepare(TfLiteContext* context) {
  for (const Binding& binding : inputs_) {
    Shape shape;
    TFLBNN_RETURN_IF_ERROR(TensorShape(context->tensors[binding.tensor], &shape));
    graph_.SetShape(binding.value, shape);
  }
  TFLBNN_RETURN_IF_ERROR(graph_.Resize(shared_->pool.size()));
  if (!arena_) arena_ = shared_->ArenaOf(context);
  if (arena_->size() < graph_.arena_bytes() && !arena_->Allocate(graph_.arena_bytes())) {
    return Status::Error("no memory for %zu bytes of intermediate results", graph_.arena_bytes());
  }
  for (const Binding& binding : outputs_) {
    TFLBNN_RETURN_IF_ERROR(
        ResizeTensor(context, &context->tensors[binding.tensor], graph_.shape(binding.value)));
  }
  return Status::Ok();
}

Status Partition::Invoke(TfLiteContext* context) {
  // TFLite fixes the tensors' memory after Prepare, so it is known only now.
  for (const std::vector<Binding>* bindings : {&inputs_, &outputs_}) {
    for (const Binding& binding : *bindings) {
      const TfLiteTensor& tensor = context->tensors[binding.tensor];
      const size_t bytes = graph_.bytes(binding.value);
      if (bytes > 0 && (!tensor.data || tensor.bytes < bytes)) {
        return Status::Error("tensor %d has %zu bytes instead of %zu", binding.tensor, tensor.bytes,
                             bytes);
      }
      // A constant lies where the file put it.
      if (reinterpret_cast<uintptr_t>(tensor.data) % ElementBytes(graph_.type(binding.value))) {
        return Status::Error("tensor %d does not lie at a multiple of its elements' size",
                             binding.tensor);
      }
      graph_.Bind(binding.value, tensor.data);
    }
  }
  return graph_.Run(arena_->data(), &shared_->pool);
}

}  // namespace tflbnn
