#include "core/reshape/reshape.h"

#include <cstring>

namespace tflbnn {

Status ReshapeVectors::Resize(const Shape* inputs, Shape* outputs) {
  const Shape& in = inputs[0];
  if (in.rank != 2 || !ByteSize(DataType::kFloat32, in, &bytes_)) {
    return Status::Error("Reshape: a vector for each image was expected. Received: %s",
                         in.ToString().c_str());
  }
  outputs[0] = Shape{4, {in.dims[0], 1, 1, in.dims[1]}};
  return Status::Ok();
}

void ReshapeVectors::Run(const Arguments& arguments) const {
  memcpy(arguments.outputs[0], arguments.inputs[0], bytes_);
}

}  // namespace tflbnn
