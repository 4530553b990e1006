// MUL and ADD of constants, one a channel, before LceQuantize need not be computed: the signs of
// the result are comparisons of the input with thresholds (core/quantize/affine_threshold.h), other
// ones for every reader. Where another operation of ours reads the result, too, it is computed in
// the epilogue, as it is for an activation.
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

bool Accepts(const NodeReader& node) {
  int x, constant;
  return IsChannelwise(node, kTfLiteBuiltinMul, &x, &constant) ||
         IsChannelwise(node, kTfLiteBuiltinAdd, &x, &constant);
}

// For the signs' sake, or a pooling's. What an operation that stays TFLite's reads is TFLite's too:
// it would have to be in memory anyway, and as an input it divides what could be one partition.
bool Pays(const Claims& claims, int node) {
  const int output = claims.node(node).node->outputs->data[0];
  const auto wanted = [](const Claims&, int, int fusion) {
    return fusion == Claims::kLce || fusion == static_cast<int>(FusionName::batch_norm) ||
           fusion == static_cast<int>(FusionName::pool) ||
           fusion == static_cast<int>(FusionName::average);
  };
  const auto taken = [](const Claims&, int, int) { return true; };
  const bool activated = FusedActivation(claims.node(node)) != kTfLiteActNone;
  return claims.AnyReader(output, activated ? Claims::Test(taken) : Claims::Test(wanted)) &&
         claims.EveryReader(output, taken);
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  int x, constant;
  const bool mul = IsChannelwise(node, kTfLiteBuiltinMul, &x, &constant);
  if (!mul) IsChannelwise(node, kTfLiteBuiltinAdd, &x, &constant);
  const std::vector<float> values = ChannelConstants(node.input(constant), node.input(x));
  const int input = node.node->inputs->data[x];
  View view = plan->Read(input);
  for (const Segment& segment : view) {
    if (segment.affine.addend.empty() && (!mul || segment.affine.multiplier.empty())) continue;
    plan->Store(input);  // (x * m + a) * m is more than a segment holds
    view = plan->Read(input);
    break;
  }
  if (Channels(view) != static_cast<int>(values.size())) {
    return Status::Error("node %d has %zu constants for %d channels", node.index, values.size(),
                         Channels(view));
  }
  auto value = values.begin();
  for (Segment& segment : view) {
    std::vector<float>& to = mul ? segment.affine.multiplier : segment.affine.addend;
    to.assign(value, value + segment.channels);
    value += segment.channels;
  }
  Limits limits;
  ReadLimits(FusedActivation(node), &limits);
  const int output = node.node->outputs->data[0], sum = limits.none() ? output : plan->NewTensor();
  plan->Define(sum, std::move(view));
  if (!limits.none()) plan->Limit(sum, limits, output);
  return Status::Ok();
}

}  // namespace

const Fusion batch_norm_fusion = {FusionName::batch_norm, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
