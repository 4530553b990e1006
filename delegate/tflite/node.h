// A node of a TFLite graph and its tensors.
#pragma once

#include "core/status.h"
#include "core/tensor.h"
#include "tflite/abi.h"

namespace tflbnn {

struct NodeReader {
  TfLiteContext* context;
  int index;  // of the node
  const TfLiteNode* node = nullptr;
  const TfLiteRegistration* registration = nullptr;

  // Fetches the node and checks that its tensors exist.
  Status Open();

  // Of an open node; which inputs and outputs there are is for the caller to check.
  const TfLiteTensor& input(int i) const { return context->tensors[node->inputs->data[i]]; }
  const TfLiteTensor& output() const { return context->tensors[node->outputs->data[0]]; }
};

// The core's view of a tensor. Bits are int32 there.
Status TensorType(const TfLiteTensor& tensor, DataType* type);
Status TensorShape(const TfLiteTensor& tensor, Shape* shape);

}  // namespace tflbnn
