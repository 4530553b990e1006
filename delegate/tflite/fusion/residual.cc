// ADD of a shortcut (and its ReLU) to a convolution's result, in the epilogue while the result is
// in registers: one reading of the shortcut instead of two readings and a writing.
#include <limits>

#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

bool Accepts(const NodeReader& node) {
  return IsBuiltin(node, kTfLiteBuiltinAdd, 2) && FusedActivation(node) >= 0 &&
         FusedActivation(node) <= 3 && IsFloat(node.output()) && IsFloat(node.input(0)) &&
         IsFloat(node.input(1)) && SameDims(node.input(0), node.input(1)) &&
         SameDims(node.input(0), node.output()) &&
         node.node->inputs->data[0] != node.node->inputs->data[1];
}

bool Pays(const Claims& claims, int node) {
  for (int i = 0; i < 2; ++i) {
    const int tensor = claims.node(node).node->inputs->data[i];
    const int producer = claims.ProducerOf(tensor);
    if (claims.ConvolutionMakes(tensor) || producer == static_cast<int>(FusionName::gate) ||
        producer == static_cast<int>(FusionName::prelu)) {
      return true;
    }
  }
  return false;
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  // To the one that is made last, the other one being there already.
  const int *inputs = node.node->inputs->data, output = node.node->outputs->data[0];
  const int last = plan->MakerOf(inputs[0]) > plan->MakerOf(inputs[1]) ? 0 : 1;
  Plan::Stage add{StageKind::kAddTensor, {}, {}};
  add.tensor = inputs[1 - last];
  const int activation = FusedActivation(node);
  const int sum = activation == kTfLiteActNone ? output : plan->NewTensor();
  plan->Transform(inputs[last], std::move(add), sum);
  if (sum == output) return Status::Ok();
  Plan::Stage clamp{StageKind::kClamp, {}, {}};
  clamp.low = activation == kTfLiteActReluN1To1 ? -1.f : 0.f;
  clamp.high = activation == kTfLiteActReluN1To1 ? 1.f
               : activation == kTfLiteActRelu6   ? 6.f
                                                 : std::numeric_limits<float>::infinity();
  plan->Transform(sum, std::move(clamp), output);
  return Status::Ok();
}

}  // namespace

const Fusion residual_fusion = {FusionName::residual, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
