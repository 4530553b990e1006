// DEPTHWISE_CONV_2D of floats between convolutions that the delegate computes.
#include "tflite/fusion/depthwise.h"

#include <memory>

#include "core/conv2d/conv2d.h"
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

// XNNPACK adds the products of larger filters in several passes.
constexpr int kMaxTaps = 25;
constexpr int kMaxStride = 16;

struct DepthwiseOptions {  // TfLiteDepthwiseConvParams
  int padding, stride_width, stride_height, depth_multiplier, activation, dilation_width,
      dilation_height;
};

bool Accepts(const NodeReader& node) {
  MaxBlurParams params;
  return ReadDepthwise(node, &params);
}

// As for CONV_2D; and only behind one, so that it does not divide what XNNPACK computes.
bool Pays(const Claims& claims, int node) {
  const TfLiteNode& depthwise = *claims.node(node).node;
  return Conv2D::Available(claims.kernel()) &&
         claims.ProducerOf(depthwise.inputs->data[0]) == static_cast<int>(FusionName::conv2d) &&
         claims.AnyReader(depthwise.outputs->data[0], [](const Claims&, int, int) { return true; });
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  MaxBlurParams params;
  ReadDepthwise(node, &params);
  const int input = node.node->inputs->data[0];
  plan->Store(input);
  plan->Add(std::make_unique<MaxBlur>(params, Floats(node.input(1)), Floats(node.input(2)),
                                      plan->options().kernel),
            {input}, node.node->outputs->data[0]);
  return Status::Ok();
}

}  // namespace

bool ReadDepthwise(const NodeReader& node, MaxBlurParams* params) {
  if (!IsBuiltin(node, kTfLiteBuiltinDepthwiseConv2d, 3) || !node.node->builtin_data) return false;
  const auto& options = *static_cast<const DepthwiseOptions*>(node.node->builtin_data);
  const TfLiteTensor &x = node.input(0), &filter = node.input(1), &bias = node.input(2);
  Shape shape, biases;
  if (!IsFloat(x) || x.dims->size != 4 || !IsFloat(node.output()) ||
      !ConstantFloats(filter, &shape) || shape.rank != 4 || shape.dims[0] != 1 ||
      shape.last() != x.dims->data[3]) {
    return false;
  }
  params->channels = static_cast<int>(shape.last());
  params->height = {shape.dims[1], options.stride_height, 1};
  params->width = {shape.dims[2], options.stride_width, 1};
  params->padding = options.padding == kTfLitePaddingSame ? Padding::kSame : Padding::kValid;
  return int64_t{shape.dims[1]} * shape.dims[2] <= kMaxTaps && options.stride_width > 0 &&
         options.stride_height > 0 && options.stride_width <= kMaxStride &&
         options.stride_height <= kMaxStride && options.depth_multiplier == 1 &&
         options.dilation_width == 1 && options.dilation_height == 1 &&
         (options.padding == kTfLitePaddingSame || options.padding == kTfLitePaddingValid) &&
         ReadLimits(options.activation, &params->limits) && ConstantFloats(bias, &biases) &&
         bias.bytes == static_cast<size_t>(params->channels) * sizeof(float);
}

const Fusion depthwise_fusion = {FusionName::depthwise, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
