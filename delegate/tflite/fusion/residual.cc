// ADD of a shortcut (and its ReLU) to a convolution's result, in the epilogue while the result is
// in registers: one reading of the shortcut instead of two readings and a writing.
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
  const int* const inputs = claims.node(node).node->inputs->data;
  return claims.InRegisters(inputs[0]) || claims.InRegisters(inputs[1]);
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  // To the one that is made last, the other one being there already.
  const int *inputs = node.node->inputs->data, output = node.node->outputs->data[0];
  const int last = plan->MakerOf(inputs[0]) > plan->MakerOf(inputs[1]) ? 0 : 1;
  Plan::Stage add{StageKind::kAddTensor, {}, {}};
  add.tensor = inputs[1 - last];
  Limits limits;
  ReadLimits(FusedActivation(node), &limits);
  const int sum = limits.none() ? output : plan->NewTensor();
  plan->Transform(inputs[last], std::move(add), sum);
  if (!limits.none()) plan->Limit(sum, limits, output);
  return Status::Ok();
}

}  // namespace

const Fusion residual_fusion = {FusionName::residual, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
