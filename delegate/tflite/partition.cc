#include "tflite/partition.h"

#include <algorithm>
#include <utility>

#include "core/quantize/quantize.h"
#include "tflite/batch_norm.h"
#include "tflite/int_array.h"
#include "tflite/lce_operations.h"

namespace tflbnn {
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

Status Partition::InputOf(const TfLiteContext* context, int tensor, int* value) {
  if (!values_.count(tensor)) {  // produced outside: TFLite's memory
    DataType type;
    TFLBNN_RETURN_IF_ERROR(TensorType(context->tensors[tensor], &type));
    values_[tensor] = graph_.AddValue(type, /*external=*/true);
    inputs_.push_back({tensor, values_[tensor]});
  }
  *value = values_[tensor];
  return Status::Ok();
}

Status Partition::OutputOf(const TfLiteContext* context, int tensor, int* value) {
  if (values_.count(tensor)) return Status::Error("tensor %d is written after it was read", tensor);
  DataType type;
  TFLBNN_RETURN_IF_ERROR(TensorType(context->tensors[tensor], &type));
  const auto output = std::find_if(outputs_.begin(), outputs_.end(),
                                   [&](const Binding& b) { return b.tensor == tensor; });
  *value = values_[tensor] = graph_.AddValue(type, /*external=*/output != outputs_.end());
  if (output != outputs_.end()) output->value = *value;
  return Status::Ok();
}

Status Partition::Build(TfLiteContext* context, const TfLiteDelegateParams& params) {
  for (int i = 0; i < params.output_tensors->size; ++i)
    outputs_.push_back({params.output_tensors->data[i], -1});
  const std::vector<int> nodes(params.nodes_to_replace->data,
                               params.nodes_to_replace->data + params.nodes_to_replace->size);
  // Nodes that are not LCE's were claimed in order to be absorbed.
  const BatchNorms batch_norms =
      shared_->fusions.batch_norm ? FindBatchNorms(context, nodes) : BatchNorms();
  for (int index : nodes) {
    NodeReader reader{context, index};
    TFLBNN_RETURN_IF_ERROR(reader.Open());
    if (!IsLceNode(reader)) continue;
    std::unique_ptr<Operation> operation;
    int source = reader.node->inputs->data[0], input, output;
    const auto batch_norm = batch_norms.find(index);
    if (batch_norm != batch_norms.end()) {
      source = batch_norm->second.source;
      operation.reset(
          new Quantize(batch_norm->second.threshold, batch_norm->second.negate, shared_->kernel));
    } else {
      TFLBNN_RETURN_IF_ERROR(ReadLceOperation(reader, shared_->kernel, &operation));
    }
    TFLBNN_RETURN_IF_ERROR(InputOf(context, source, &input));
    TFLBNN_RETURN_IF_ERROR(OutputOf(context, reader.node->outputs->data[0], &output));
    graph_.AddOperation(std::move(operation), {input}, output);
  }
  for (const Binding& binding : outputs_) {
    if (binding.value < 0)
      return Status::Error("tensor %d is not produced by this partition", binding.tensor);
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
  graph_.Run(&shared_->pool);
  return Status::Ok();
}

}  // namespace tflbnn
