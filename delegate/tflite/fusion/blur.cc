// MAX_POOL_2D of stride 1 before a DEPTHWISE_CONV_2D whose weights are powers of two, such as
// QuickNet's blur (1 2 1) x (1 2 1) / 16: one pass, and the pooled image is never in memory.
// Products with powers of two are exact, so it does not matter that XNNPACK multiplies and adds in
// one step.
#include <cmath>
#include <memory>

#include "core/maxblur/maxblur.h"
#include "core/maxpool/maxpool.h"
#include "tflite/fusion/depthwise.h"
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

struct PoolOptions {  // the beginning of TfLitePoolParams
  int padding, stride_width, stride_height, filter_width, filter_height, activation;
};
bool ReadPool(const NodeReader& node, MaxBlurParams* params) {
  if (!IsBuiltin(node, kTfLiteBuiltinMaxPool2d, 1) || !node.node->builtin_data) return false;
  const auto& options = *static_cast<const PoolOptions*>(node.node->builtin_data);
  params->pool_height = options.filter_height;
  params->pool_width = options.filter_width;
  return IsFloat(node.input(0)) && IsFloat(node.output()) && node.input(0).dims->size == 4 &&
         options.stride_width == 1 && options.stride_height == 1 && options.filter_width > 0 &&
         options.filter_height > 0 && options.padding == kTfLitePaddingValid &&
         ReadLimits(options.activation, &params->pool_limits);
}

// Weights that are powers of two.
bool ReadBlur(const NodeReader& node, MaxBlurParams* params) {
  if (!ReadDepthwise(node, params)) return false;
  for (const float weight : Floats(node.input(1))) {
    int exponent;
    const float mantissa = std::frexp(std::fabs(weight), &exponent);
    if (!(weight == 0 || (mantissa == .5f && exponent > -30 && exponent < 30))) return false;
  }
  return true;
}

bool Accepts(const NodeReader& node) {
  MaxBlurParams params;
  return ReadPool(node, &params) || ReadBlur(node, &params);
}

// Only as a pair that nobody looks into, behind a convolution of ours.
bool Pays(const Claims& claims, int node) {
  MaxBlurParams params;
  const NodeReader& reader = claims.node(node);
  const int input = reader.node->inputs->data[0];
  if (!ReadPool(reader, &params))
    return claims.ProducerOf(input) == static_cast<int>(FusionName::blur) &&
           ReadPool(claims.Producer(input), &params);
  const int producer = claims.ProducerOf(input);
  return (producer == static_cast<int>(FusionName::residual) || claims.ConvolutionMakes(input)) &&
         claims.ReaderCount(reader.node->outputs->data[0]) == 1 &&
         claims.EveryReader(
             reader.node->outputs->data[0], [](const Claims& all, int i, int fusion) {
               MaxBlurParams blur;
               return fusion == static_cast<int>(FusionName::blur) && ReadBlur(all.node(i), &blur);
             });
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  MaxBlurParams params;
  const int input = node.node->inputs->data[0], output = node.node->outputs->data[0];
  if (ReadPool(node, &params)) {
    plan->Store(input);
    if (!plan->IsOutput(output)) {
      plan->Defer(output, node);  // the blur will do it
      return Status::Ok();
    }
    MaxPool2DParams pool;
    pool.height.filter = params.pool_height;
    pool.width.filter = params.pool_width;
    pool.low = params.pool_limits.low;
    pool.high = params.pool_limits.high;
    const int channels = Channels(plan->Read(input));
    plan->Add(std::make_unique<MaxPool2D>(pool, channels, Affine(), plan->options().kernel),
              {input}, output);
    return Status::Ok();
  }
  ReadBlur(node, &params);
  int source = input;
  if (const NodeReader* pool = plan->Deferred(input)) {
    ReadPool(*pool, &params);
    source = pool->node->inputs->data[0];
  } else {  // it was wanted elsewhere, too
    plan->Store(input);
  }
  plan->Add(std::make_unique<MaxBlur>(params, Floats(node.input(1)), Floats(node.input(2)),
                                      plan->options().kernel),
            {source}, output);
  return Status::Ok();
}

}  // namespace

const Fusion blur_fusion = {FusionName::blur, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
