// MUL of a convolution's result by a vector, one element a channel, that the network computes
// (squeeze-and-excite), in the epilogue.
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

// Which of the inputs is the vector; -1: neither.
int VectorInput(const NodeReader& node) {
  if (!IsBuiltin(node, kTfLiteBuiltinMul, 2) || FusedActivation(node) != 0 ||
      !IsFloat(node.output()) || !IsFloat(node.input(0)) || !IsFloat(node.input(1))) {
    return -1;
  }
  for (int i = 0; i < 2; ++i) {
    const TfLiteTensor &vector = node.input(i), &x = node.input(1 - i);
    Shape shape;
    size_t bytes;
    if (!TensorShape(vector, &shape).ok() || !ByteSize(DataType::kFloat32, shape, &bytes)) continue;
    // One vector, or one for each image.
    const bool each = shape.rank == x.dims->size && shape.dims[0] == x.dims->data[0];
    if (SameDims(x, node.output()) && shape.rank <= x.dims->size &&
        shape.Rows() == static_cast<size_t>(each ? shape.dims[0] : 1) && shape.last() <= 1 << 20 &&
        shape.last() == x.dims->data[x.dims->size - 1]) {
      return i;
    }
  }
  return -1;
}

bool Accepts(const NodeReader& node) { return VectorInput(node) >= 0; }

bool Pays(const Claims& claims, int node) {
  const NodeReader& reader = claims.node(node);
  return claims.ConvolutionMakes(reader.node->inputs->data[1 - VectorInput(reader)]);
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  const int vector = VectorInput(node);
  Plan::Stage stage{StageKind::kGate, {}, {}};
  stage.tensor = node.node->inputs->data[vector];
  plan->Transform(node.node->inputs->data[1 - vector], std::move(stage),
                  node.node->outputs->data[0]);
  return Status::Ok();
}

}  // namespace

const Fusion gate_fusion = {FusionName::gate, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
