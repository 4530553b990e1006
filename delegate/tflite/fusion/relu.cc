// RELU, RELU6 and RELU_N1_TO_1 that are nodes of their own, in the epilogue.
#include <utility>

#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

bool Read(const NodeReader& node, Limits* limits) {
  for (const auto& [code, activation] : {std::pair{kTfLiteBuiltinRelu, kTfLiteActRelu},
                                         std::pair{kTfLiteBuiltinReluN1To1, kTfLiteActReluN1To1},
                                         std::pair{kTfLiteBuiltinRelu6, kTfLiteActRelu6}}) {
    if (IsBuiltin(node, code, 1)) {
      return IsFloat(node.input(0)) && IsFloat(node.output()) &&
             SameDims(node.input(0), node.output()) && ReadLimits(activation, limits);
    }
  }
  return false;
}

bool Accepts(const NodeReader& node) {
  Limits limits;
  return Read(node, &limits);
}

bool Pays(const Claims& claims, int node) {
  return claims.InRegisters(claims.node(node).node->inputs->data[0]);
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  Limits limits;
  Read(node, &limits);
  plan->Limit(node.node->inputs->data[0], limits, node.node->outputs->data[0]);
  return Status::Ok();
}

}  // namespace

const Fusion relu_fusion = {FusionName::relu, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
