// CONV_2D of floats before binary work: the first layer, and those that change the number of
// channels. What follows (an activation, a sum, signs) is done while the result is in registers,
// and what would be several partitions becomes one.
#include "core/conv2d/conv2d.h"

#include <memory>
#include <utility>
#include <vector>

#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

// Larger ones are not for a network's first layers.
constexpr int kMaxStride = 16;

struct Options {  // the beginning of TfLiteConvParams
  int padding, stride_width, stride_height, activation, dilation_width, dilation_height;
};

bool Read(const NodeReader& node, Conv2DParams* params, Limits* limits) {
  if (!IsBuiltin(node, kTfLiteBuiltinConv2d, 3) || !node.node->builtin_data) return false;
  const auto& options = *static_cast<const Options*>(node.node->builtin_data);
  const TfLiteTensor &x = node.input(0), &filter = node.input(1), &bias = node.input(2);
  Shape shape;
  if (!IsFloat(x) || x.dims->size != 4 || !IsFloat(node.output()) ||
      !ConstantFloats(filter, &shape) || shape.rank != 4) {
    return false;
  }
  params->height = {shape.dims[1], options.stride_height, 1};
  params->width = {shape.dims[2], options.stride_width, 1};
  params->padding = options.padding == kTfLitePaddingSame ? Padding::kSame : Padding::kValid;
  params->channels_in = shape.dims[3];
  params->channels_out = shape.dims[0];
  // One channel in and out is a depthwise convolution to XNNPACK, which adds in another order.
  return x.dims->data[3] == params->channels_in &&
         (params->channels_in > 1 || params->channels_out > 1) && options.stride_height > 0 &&
         options.stride_width > 0 && options.stride_height <= kMaxStride &&
         options.stride_width <= kMaxStride && options.dilation_height == 1 &&
         options.dilation_width == 1 &&
         (options.padding == kTfLitePaddingSame || options.padding == kTfLitePaddingValid) &&
         ReadLimits(options.activation, limits) && ConstantFloats(bias, &shape) &&
         bias.bytes == static_cast<size_t>(params->channels_out) * sizeof(float);
}

bool Accepts(const NodeReader& node) {
  Conv2DParams params;
  Limits limits;
  return Read(node, &params, &limits);
}

// Where the result goes to something of ours: a float network stays TFLite's.
bool Pays(const Claims& claims, int node) {
  return Conv2D::Available(claims.kernel()) &&
         claims.AnyReader(claims.node(node).node->outputs->data[0],
                          [](const Claims&, int, int) { return true; });
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  Conv2DParams params;
  Limits limits;
  Read(node, &params, &limits);
  const int input = node.node->inputs->data[0], output = node.node->outputs->data[0];
  plan->Store(input);
  auto convolution = std::make_unique<Conv2D>(params, Floats(node.input(1)), Floats(node.input(2)),
                                              plan->options().kernel);
  plan->AddChain(std::move(convolution), params.channels_out, input, limits, output);
  return Status::Ok();
}

}  // namespace

const Fusion conv2d_fusion = {FusionName::conv2d, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
