// AVERAGE_POOL_2D, and MEAN of all pixels, next to binary work: a shortcut that becomes smaller, a
// network's end, the squeeze of squeeze-and-excite. A batch normalisation or a concatenation before
// it is never computed.
#include <cstring>
#include <memory>
#include <utility>

#include "core/averagepool/averagepool.h"
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

struct PoolOptions {  // the beginning of TfLitePoolParams
  int padding, stride_width, stride_height, filter_width, filter_height, activation;
};

bool ReadPool(const NodeReader& node, AveragePool2DParams* params) {
  if (!IsBuiltin(node, kTfLiteBuiltinAveragePool2d, 1) || !node.node->builtin_data) return false;
  const auto& options = *static_cast<const PoolOptions*>(node.node->builtin_data);
  params->height = {options.filter_height, options.stride_height, 1};
  params->width = {options.filter_width, options.stride_width, 1};
  params->padding = options.padding == kTfLitePaddingSame ? Padding::kSame : Padding::kValid;
  // One element is no average; XNNPACK sums more of them in several passes, and leaves windows that
  // leave gaps to TFLite's own kernel, which adds in another order.
  return options.filter_height > 0 && options.filter_width > 0 && options.stride_height > 0 &&
         options.stride_width > 0 && options.stride_height <= options.filter_height &&
         options.stride_width <= options.filter_width &&
         int64_t{options.filter_height} * options.filter_width > 1 &&
         int64_t{options.filter_height} * options.filter_width <= kAveragePoolTaps &&
         options.activation == kTfLiteActNone &&
         (options.padding == kTfLitePaddingSame || options.padding == kTfLitePaddingValid);
}

bool ReadMean(const NodeReader& node, AveragePool2DParams* params) {
  if (!IsBuiltin(node, kTfLiteBuiltinMean, 2) || !node.node->builtin_data) return false;
  const TfLiteTensor& axes = node.input(1);
  Shape shape;
  if (!IsConstant(axes) || axes.type != kTfLiteInt32 || !TensorShape(axes, &shape).ok() ||
      shape.rank != 1 || shape.dims[0] != 2 || axes.bytes != 2 * sizeof(int32_t)) {
    return false;
  }
  int32_t axis[2];
  memcpy(axis, axes.data, sizeof(axis));
  for (int32_t& a : axis) a = a < 0 ? a + 4 : a;
  params->whole = true;
  params->keep_dims = *static_cast<const bool*>(node.node->builtin_data);
  return (axis[0] == 1 && axis[1] == 2) || (axis[0] == 2 && axis[1] == 1);
}

bool Read(const NodeReader& node, AveragePool2DParams* params) {
  return (ReadPool(node, params) || ReadMean(node, params)) && IsFloat(node.input(0)) &&
         IsFloat(node.output()) && node.input(0).dims->size == 4;
}

bool Accepts(const NodeReader& node) {
  AveragePool2DParams params;
  return Read(node, &params);
}

bool Pays(const Claims& claims, int node) {
  return claims.ProducerOf(claims.node(node).node->inputs->data[0]) != Claims::kNone;
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  AveragePool2DParams params;
  Read(node, &params);
  const View view = plan->Read(node.node->inputs->data[0]);
  const int total = Channels(view);
  int first = 0;
  for (const Segment& segment : view) {
    plan->Store(segment.tensor);
    auto pool = std::make_unique<AveragePool2D>(params, segment.channels, segment.affine,
                                                plan->options().kernel);
    pool->Place(total, first);
    first += segment.channels;
    plan->AddEarly(std::move(pool), segment.tensor, node.node->outputs->data[0]);
  }
  return Status::Ok();
}

}  // namespace

const Fusion average_fusion = {FusionName::average, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
