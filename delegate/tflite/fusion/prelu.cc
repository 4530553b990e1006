// PRELU with a constant slope for each channel, in the epilogue.
#include <utility>

#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

bool Accepts(const NodeReader& node) {
  return IsBuiltin(node, kTfLiteBuiltinPrelu, 2) && IsFloat(node.input(0)) &&
         IsFloat(node.output()) && SameDims(node.input(0), node.output()) &&
         !ChannelConstants(node.input(1), node.input(0)).empty();
}

bool Pays(const Claims& claims, int node) {
  return claims.InRegisters(claims.node(node).node->inputs->data[0]);
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  const int input = node.node->inputs->data[0];
  std::vector<float> slopes = ChannelConstants(node.input(1), node.input(0));
  if (Channels(plan->Read(input)) != static_cast<int>(slopes.size())) {
    return Status::Error("node %d has %zu slopes for %d channels", node.index, slopes.size(),
                         Channels(plan->Read(input)));
  }
  plan->Transform(input, {StageKind::kPRelu, std::move(slopes), {}}, node.node->outputs->data[0]);
  return Status::Ok();
}

}  // namespace

const Fusion prelu_fusion = {FusionName::prelu, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
