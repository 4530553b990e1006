#include "tflite/partition.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tflite/node.h"

namespace tflbnn {
namespace {

bool Contains(const TfLiteIntArray* array, int item) {
  return std::find(array->data, array->data + array->size, item) != array->data + array->size;
}

Status ResizeTensor(TfLiteContext* context, TfLiteTensor* tensor, const Shape& shape) {
  Shape present;
  if (TensorShape(*tensor, &present).ok() && present == shape) return Status::Ok();
  // TFLite frees it; its own constructor is not exported to plugins.
  auto* dims = static_cast<TfLiteIntArray*>(malloc(sizeof(TfLiteIntArray) + sizeof(int) * kMaxRank));
  if (!dims) return Status::Error("no memory for a shape");
  dims->size = shape.rank;
  std::copy(shape.dims, shape.dims + shape.rank, dims->data);
  if (context->ResizeTensor(context, tensor, dims) != kTfLiteOk) {
    return Status::Error("an output could not be resized to %s", shape.ToString().c_str());
  }
  return Status::Ok();
}

}  // namespace

Status Partition::ValueOf(const TfLiteContext* context, int tensor, int* value) {
  const auto found = values_.find(tensor);
  if (found != values_.end()) {
    *value = found->second;
    return Status::Ok();
  }
  DataType type;
  TFLBNN_RETURN_IF_ERROR(TensorType(context->tensors[tensor], &type));
  const bool output = std::any_of(outputs_.begin(), outputs_.end(), [&](const Binding& b) { return b.tensor == tensor; });
  *value = graph_.AddValue(type, output);
  values_[tensor] = *value;
  return Status::Ok();
}

Status Partition::Build(TfLiteContext* context, const TfLiteDelegateParams& params) {
  for (int i = 0; i < params.output_tensors->size; ++i) outputs_.push_back({params.output_tensors->data[i], -1});
  for (int i = 0; i < params.nodes_to_replace->size; ++i) {
    NodeReader reader{context, params.nodes_to_replace->data[i]};
    TFLBNN_RETURN_IF_ERROR(reader.Open());
    std::unique_ptr<Operation> operation;
    TFLBNN_RETURN_IF_ERROR(reader.Read(shared_->kernel, &operation));
    const int tensor = reader.node->inputs->data[0];
    int input, output;
    if (values_.count(tensor) == 0) {  // produced outside: TFLite's memory
      DataType type;
      TFLBNN_RETURN_IF_ERROR(TensorType(context->tensors[tensor], &type));
      input = graph_.AddValue(type, /*external=*/true);
      values_[tensor] = input;
      inputs_.push_back({tensor, input});
    }
    TFLBNN_RETURN_IF_ERROR(ValueOf(context, tensor, &input));
    if (values_.count(reader.node->outputs->data[0])) {
      return Status::Error("tensor %d is written twice", reader.node->outputs->data[0]);
    }
    TFLBNN_RETURN_IF_ERROR(ValueOf(context, reader.node->outputs->data[0], &output));
    graph_.AddOperation(std::move(operation), {input}, output);
  }
  for (Binding& binding : outputs_) {
    const auto found = values_.find(binding.tensor);
    if (found == values_.end() || !Contains(params.output_tensors, binding.tensor)) {
      return Status::Error("tensor %d is not produced by this partition", binding.tensor);
    }
    binding.value = found->second;
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
  for (const Binding& binding : outputs_) {
    TFLBNN_RETURN_IF_ERROR(ResizeTensor(context, &context->tensors[binding.tensor], graph_.shape(binding.value)));
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
        return Status::Error("tensor %d has %zu bytes instead of %zu", binding.tensor, tensor.bytes, bytes);
      }
      graph_.Bind(binding.value, tensor.data);
    }
  }
  graph_.Run(&shared_->pool);
  return Status::Ok();
}

}  // namespace tflbnn
