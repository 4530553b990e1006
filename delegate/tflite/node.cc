#include "tflite/node.h"

#include <algorithm>

namespace tflbnn {

Status TensorType(const TfLiteTensor& tensor, DataType* type) {
  switch (tensor.type) {
    case kTfLiteFloat32:
      *type = DataType::kFloat32;
      return Status::Ok();
    case kTfLiteInt8:
      *type = DataType::kInt8;
      return Status::Ok();
    case kTfLiteInt32:
      *type = DataType::kBits;
      return Status::Ok();
    default:
      return Status::Error("unexpected TfLiteType %d", tensor.type);
  }
}

Status TensorShape(const TfLiteTensor& tensor, Shape* shape) {
  const TfLiteIntArray* dims = tensor.dims;
  if (!dims || dims->size < 1 || dims->size > kMaxRank) {
    return Status::Error("a tensor must have 1 to %d dimensions. Received: %d", kMaxRank,
                         dims ? dims->size : -1);
  }
  shape->rank = dims->size;
  std::copy(dims->data, dims->data + dims->size, shape->dims);
  return Status::Ok();
}

Status NodeReader::Open() {
  TfLiteNode* fetched = nullptr;
  TfLiteRegistration* fetched_registration = nullptr;
  if (context->GetNodeAndRegistration(context, index, &fetched, &fetched_registration) !=
          kTfLiteOk ||
      !fetched || !fetched_registration) {
    return Status::Error("node %d cannot be read", index);
  }
  node = fetched;
  registration = fetched_registration;
  for (const TfLiteIntArray* tensors : {node->inputs, node->outputs}) {
    for (int i = 0; tensors && i < tensors->size; ++i) {
      const int tensor = tensors->data[i];
      if (tensor < -1 || tensor >= static_cast<int>(context->tensors_size)) {
        return Status::Error("node %d refers to tensor %d of %zu", index, tensor,
                             context->tensors_size);
      }
    }
  }
  return Status::Ok();
}

}  // namespace tflbnn
