// FULLY_CONNECTED of floats behind what the delegate computes: a network's last layer, and the two
// of squeeze-and-excite. TFLite's own threads need not be woken for it.
#include <memory>
#include <utility>
#include <vector>

#include "core/conv2d/conv2d.h"
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

struct Options {  // the beginning of TfLiteFullyConnectedParams
  int activation, weights_format;
};

bool HasBias(const NodeReader& node) {
  return node.node->inputs->size == 3 && node.node->inputs->data[2] >= 0;
}

bool Read(const NodeReader& node, Conv2DParams* params, Limits* limits) {
  if ((!IsBuiltin(node, kTfLiteBuiltinFullyConnected, 3, 2) &&
       !IsBuiltin(node, kTfLiteBuiltinFullyConnected, 2)) ||
      !node.node->builtin_data) {
    return false;
  }
  const auto& options = *static_cast<const Options*>(node.node->builtin_data);
  Shape filter, biases;
  if (options.weights_format != 0 || !IsFloat(node.input(0)) || node.input(0).dims->size != 2 ||
      !IsFloat(node.output()) || node.output().dims->size != 2 ||
      !ConstantFloats(node.input(1), &filter) || filter.rank != 2) {
    return false;
  }
  params->dense = true;
  params->channels_out = filter.dims[0];
  params->channels_in = filter.dims[1];
  return node.input(0).dims->data[1] == params->channels_in &&
         ReadLimits(options.activation, limits) &&
         (!HasBias(node) || (ConstantFloats(node.input(2), &biases) &&
                             node.input(2).bytes == static_cast<size_t>(params->channels_out) * 4));
}

bool Accepts(const NodeReader& node) {
  Conv2DParams params;
  Limits limits;
  return Read(node, &params, &limits);
}

bool Pays(const Claims& claims, int node) {
  return Conv2D::Available(claims.kernel()) &&
         claims.ProducerOf(claims.node(node).node->inputs->data[0]) != Claims::kNone;
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  Conv2DParams params;
  Limits limits;
  Read(node, &params, &limits);
  const int input = node.node->inputs->data[0];
  plan->Store(input);
  const std::vector<float> bias =
      HasBias(node) ? Floats(node.input(2))
                    : std::vector<float>(static_cast<size_t>(params.channels_out));
  plan->AddChain(
      std::make_unique<Conv2D>(params, Floats(node.input(1)), bias, plan->options().kernel),
      params.channels_out, input, limits, node.node->outputs->data[0]);
  return Status::Ok();
}

}  // namespace

const Fusion dense_fusion = {FusionName::dense, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
