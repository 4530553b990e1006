// MAX_POOL_2D (and its ReLU) of what the delegate computes. Of a batch normalisation or a
// concatenation that was never computed it is one reading of the pieces instead of three of the
// whole, each as soon as it is made.
#include <cmath>
#include <limits>

#include "core/maxpool/maxpool.h"
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

struct Options {  // the beginning of TfLitePoolParams
  int padding, stride_width, stride_height, filter_width, filter_height, activation;
};

bool Accepts(const NodeReader& node) {
  if (!IsBuiltin(node, kTfLiteBuiltinMaxPool2d, 1) || !node.node->builtin_data) return false;
  const auto& options = *static_cast<const Options*>(node.node->builtin_data);
  return IsFloat(node.input(0)) && IsFloat(node.output()) && node.input(0).dims->size == 4 &&
         options.stride_width > 0 && options.stride_height > 0 && options.filter_width > 0 &&
         options.filter_height > 0 && options.activation >= kTfLiteActNone &&
         options.activation <= kTfLiteActRelu6 &&
         (options.padding == kTfLitePaddingSame || options.padding == kTfLitePaddingValid);
}

bool Pays(const Claims& claims, int node) {
  const TfLiteNode& pool = *claims.node(node).node;
  const int producer = claims.ProducerOf(pool.inputs->data[0]);
  if (producer == static_cast<int>(FusionName::batch_norm) ||
      producer == static_cast<int>(FusionName::concat)) {
    return true;
  }
  return producer != Claims::kNone &&
         claims.AnyReader(pool.outputs->data[0], [](const Claims&, int, int) { return true; });
}

bool Finite(const Affine& affine) {
  for (const std::vector<float>* values : {&affine.multiplier, &affine.addend}) {
    for (const float v : *values) {
      if (!std::isfinite(v)) return false;
    }
  }
  return true;
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  const auto& options = *static_cast<const Options*>(node.node->builtin_data);
  MaxPool2DParams params;
  params.height = {options.filter_height, options.stride_height, 1};
  params.width = {options.filter_width, options.stride_width, 1};
  params.padding = options.padding == kTfLitePaddingSame ? Padding::kSame : Padding::kValid;
  const float infinity = std::numeric_limits<float>::infinity();
  params.low = options.activation == kTfLiteActNone        ? -infinity
               : options.activation == kTfLiteActReluN1To1 ? -1.f
                                                           : 0.f;
  params.high = options.activation == kTfLiteActReluN1To1 ? 1.f
                : options.activation == kTfLiteActRelu6   ? 6.f
                                                          : infinity;
  const int input = node.node->inputs->data[0];
  for (const Segment& segment : plan->Read(input)) {
    if (!Finite(segment.affine)) plan->Store(input);
  }
  const View view = plan->Read(input);
  const int total = Channels(view);
  int first = 0;
  for (const Segment& segment : view) {
    plan->Store(segment.tensor);
    auto pool = std::make_unique<MaxPool2D>(params, segment.channels, segment.affine,
                                            plan->options().kernel);
    pool->Place(total, first);
    first += segment.channels;
    plan->AddEarly(std::move(pool), segment.tensor, node.node->outputs->data[0]);
  }
  return Status::Ok();
}

}  // namespace

const Fusion pool_fusion = {FusionName::pool, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
