#include "tflite/batch_norm.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <set>
#include <utility>

#include "core/quantize/affine_threshold.h"
#include "tflite/int_array.h"
#include "tflite/lce_operations.h"

namespace tflbnn {
namespace {

bool SameDims(const TfLiteTensor& a, const TfLiteTensor& b) {
  return a.dims && b.dims && a.dims->size == b.dims->size &&
         std::equal(a.dims->data, a.dims->data + a.dims->size, b.dims->data);
}

// y = x (op) constant, with one constant for each channel or for all.
struct ChannelwiseNode {
  int source = -1;               // tensor x
  std::vector<float> constants;  // of each channel
};

bool ReadChannelwise(const NodeReader& reader, int builtin_code, ChannelwiseNode* result) {
  const TfLiteNode& node = *reader.node;
  if (reader.registration->builtin_code != builtin_code) return false;
  if (!node.inputs || node.inputs->size != 2 || !node.outputs || node.outputs->size != 1)
    return false;
  if (node.inputs->data[0] < 0 || node.inputs->data[1] < 0 || node.outputs->data[0] < 0)
    return false;
  // The parameters of MUL and of ADD begin with the fused activation.
  if (!node.builtin_data || *static_cast<const int*>(node.builtin_data) != 0) return false;
  const int constant_input = reader.input(0).allocation_type == kTfLiteMmapRo ? 0 : 1;
  const TfLiteTensor &x = reader.input(1 - constant_input),
                     &constant = reader.input(constant_input);
  if (x.type != kTfLiteFloat32 || constant.type != kTfLiteFloat32 ||
      reader.output().type != kTfLiteFloat32) {
    return false;
  }
  if (constant.allocation_type != kTfLiteMmapRo || !constant.data ||
      x.allocation_type == kTfLiteMmapRo)
    return false;
  Shape shape;
  if (!TensorShape(x, &shape).ok() || !SameDims(x, reader.output())) return false;
  const size_t channels = static_cast<size_t>(std::max(0, shape.last())),
               count = constant.bytes / sizeof(float);
  if (!constant.dims || (count != 1 && count != channels) || count == 0) return false;
  if (constant.dims->size > shape.rank) return false;
  if (count > 1 && constant.dims->data[constant.dims->size - 1] != shape.last()) return false;
  result->source = node.inputs->data[1 - constant_input];
  result->constants.resize(channels);
  for (size_t i = 0; i < channels; ++i) {
    const auto* bytes =
        static_cast<const uint8_t*>(constant.data) + (count == 1 ? 0 : i * sizeof(float));
    memcpy(&result->constants[i], bytes, sizeof(float));
  }
  return true;
}

using Producers = std::map<int, NodeReader>;  // by output tensor

// Follows the inputs of a quantization upwards.
bool MatchBatchNorm(const Producers& producers, const NodeReader& quantize, BatchNorm* result) {
  result->source = quantize.node->inputs->data[0];
  ChannelwiseNode add, mul;
  auto producer = producers.find(result->source);
  if (producer != producers.end() && ReadChannelwise(producer->second, kTfLiteBuiltinAdd, &add)) {
    result->add = producer->second.index;
    result->source = add.source;
    producer = producers.find(result->source);
  }
  if (producer != producers.end() && ReadChannelwise(producer->second, kTfLiteBuiltinMul, &mul)) {
    result->mul = producer->second.index;
    result->source = mul.source;
  }
  if (result->add < 0 && result->mul < 0) return false;
  const size_t channels = std::max(add.constants.size(), mul.constants.size());
  if (channels == 0) return false;
  mul.constants.resize(
      channels, 1.f);  // multiplying by 1 and adding -0 change nothing, not even a zero's sign
  add.constants.resize(channels, -0.f);
  for (size_t i = 0; i < channels; ++i) {
    float threshold;
    bool negate;
    if (!AffineThreshold(mul.constants[i], add.constants[i], &threshold, &negate)) return false;
    result->threshold.push_back(threshold);
    result->negate.push_back(negate);
  }
  return true;
}

// The tensors that disappear.
std::vector<int> Intermediates(TfLiteContext* context, const BatchNorm& batch_norm) {
  std::vector<int> tensors;
  for (int index : {batch_norm.mul, batch_norm.add}) {
    NodeReader reader{context, index};
    if (index >= 0 && reader.Open().ok()) tensors.push_back(reader.node->outputs->data[0]);
  }
  return tensors;
}

}  // namespace

BatchNorms FindBatchNorms(TfLiteContext* context, const std::vector<int>& nodes) {
  Producers producers;
  std::vector<NodeReader> quantizations;
  for (int index : nodes) {
    NodeReader reader{context, index};
    if (!reader.Open().ok()) continue;
    for (int i = 0; reader.node->outputs && i < reader.node->outputs->size; ++i) {
      producers.insert({reader.node->outputs->data[i], reader});
    }
    if (IsFloatQuantize(reader)) quantizations.push_back(reader);
  }
  BatchNorms found;
  for (const NodeReader& quantize : quantizations) {
    BatchNorm batch_norm;
    if (MatchBatchNorm(producers, quantize, &batch_norm))
      found[quantize.index] = std::move(batch_norm);
  }
  return found;
}

std::vector<int> AbsorbedNodes(const BatchNorms& batch_norms) {
  std::set<int> nodes;
  for (const auto& [quantize, batch_norm] : batch_norms)
    nodes.insert({batch_norm.mul, batch_norm.add});
  nodes.erase(-1);
  return std::vector<int>(nodes.begin(), nodes.end());
}

Status KeepPrivate(TfLiteContext* context, const std::vector<int>& plan,
                   const std::vector<int>& claimed, BatchNorms* batch_norms) {
  std::map<int, std::vector<int>> readers;  // nodes, by tensor
  for (int index : plan) {
    NodeReader reader{context, index};
    TFLBNN_RETURN_IF_ERROR(reader.Open());
    for (int i = 0; reader.node->inputs && i < reader.node->inputs->size; ++i) {
      readers[reader.node->inputs->data[i]].push_back(index);
    }
  }
  // Dropping one may expose another that shares its nodes, so until nothing changes.
  for (bool changed = true; changed && !batch_norms->empty();) {
    changed = false;
    std::vector<int> nodes = claimed;
    std::set<int> absorbing;
    for (int index : AbsorbedNodes(*batch_norms)) absorbing.insert(index);
    nodes.insert(nodes.end(), absorbing.begin(), absorbing.end());
    for (const auto& [quantize, batch_norm] : *batch_norms) absorbing.insert(quantize);

    std::set<int> exposed;  // tensors that leave a partition
    {
      IntArray array(nodes);
      TfLiteDelegateParams* partitions = nullptr;
      int count = 0;
      if (!array.get() || !context->PreviewDelegatePartitioning ||
          context->PreviewDelegatePartitioning(context, array.get(), &partitions, &count) !=
              kTfLiteOk) {
        batch_norms->clear();
        return Status::Ok();
      }
      for (int i = 0; i < count; ++i) {
        const TfLiteIntArray& outputs = *partitions[i].output_tensors;
        exposed.insert(outputs.data, outputs.data + outputs.size);
      }
    }
    for (auto it = batch_norms->begin(); it != batch_norms->end();) {
      bool keep = true;
      for (int tensor : Intermediates(context, it->second)) {
        keep = keep && !exposed.count(tensor) &&
               std::all_of(readers[tensor].begin(), readers[tensor].end(),
                           [&](int n) { return absorbing.count(n) > 0; });
      }
      changed = changed || !keep;
      it = keep ? std::next(it) : batch_norms->erase(it);
    }
  }
  return Status::Ok();
}

}  // namespace tflbnn
