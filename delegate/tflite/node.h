// From a node of a TFLite graph to an operation of ours, with everything in it checked.
#pragma once

#include <memory>
#include <vector>

#include "core/cpu_features.h"
#include "core/operation.h"
#include "tflite/abi.h"

namespace tflbnn {

// Whether the delegate is responsible for a node: the custom operations of LCE are.
bool IsLceNode(const TfLiteRegistration& registration);

struct NodeReader;
// An LceQuantize of float numbers.
bool IsFloatQuantize(const NodeReader& reader);

struct NodeReader {
  TfLiteContext* context;
  int index;  // of the node
  const TfLiteNode* node = nullptr;
  const TfLiteRegistration* registration = nullptr;

  // Fetches the node and checks that its tensors exist.
  Status Open();
  // Checks the node and what it refers to. With `operation` set, builds it for the kernels of
  // `isa`.
  Status Read(Isa isa, std::unique_ptr<Operation>* operation) const;

  const TfLiteTensor& input(int i) const { return context->tensors[node->inputs->data[i]]; }
  const TfLiteTensor& output() const { return context->tensors[node->outputs->data[0]]; }
};

// The core's view of a tensor. Bits are int32 there.
Status TensorType(const TfLiteTensor& tensor, DataType* type);
Status TensorShape(const TfLiteTensor& tensor, Shape* shape);

}  // namespace tflbnn
