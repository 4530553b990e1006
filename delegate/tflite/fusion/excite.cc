// LOGISTIC and RESHAPE of a vector between what the delegate computes, as in squeeze-and-excite:
// left to TFLite they would divide what is one partition.
#include <memory>

#include "core/logistic/logistic.h"
#include "core/reshape/reshape.h"
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

bool IsLogistic(const NodeReader& node) {
  return IsBuiltin(node, kTfLiteBuiltinLogistic, 1) && IsFloat(node.input(0)) &&
         node.input(0).dims->size == 2 && IsFloat(node.output()) &&
         SameDims(node.input(0), node.output());
}

// To [image, 1, 1, channels].
bool IsReshape(const NodeReader& node) {
  if (!node.node->inputs || !IsBuiltin(node, kTfLiteBuiltinReshape, node.node->inputs->size) ||
      !IsFloat(node.input(0)) || !IsFloat(node.output())) {
    return false;
  }
  const TfLiteIntArray &from = *node.input(0).dims, &to = *node.output().dims;
  return from.size == 2 && to.size == 4 && to.data[0] == from.data[0] && to.data[1] == 1 &&
         to.data[2] == 1 && to.data[3] == from.data[1];
}

bool Accepts(const NodeReader& node) { return IsLogistic(node) || IsReshape(node); }

bool Pays(const Claims& claims, int node) {
  const TfLiteNode& excite = *claims.node(node).node;
  return claims.ProducerOf(excite.inputs->data[0]) != Claims::kNone &&
         claims.AnyReader(excite.outputs->data[0], [](const Claims&, int, int) { return true; });
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  const int input = node.node->inputs->data[0], output = node.node->outputs->data[0];
  plan->Store(input);
  if (IsLogistic(node)) {
    plan->Add(std::make_unique<Logistic>(), {input}, output);
  } else {
    // The convolution that the vector multiplies may come before this node.
    plan->AddEarly(std::make_unique<ReshapeVectors>(), input, output);
  }
  return Status::Ok();
}

}  // namespace

const Fusion excite_fusion = {FusionName::excite, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
