#include "tflite/fusion/fusion.h"

#include <algorithm>

#include "tflite/lce_operations.h"

namespace tflbnn {

const Fusion* const kFusions[] = {
#define FUSION(name) &name##_fusion,
#include "tflite/fusion/fusions.inc"
#undef FUSION
};

const Fusion* FusionOf(const NodeReader& node, const Fusions& fusions) {
  for (const Fusion* fusion : kFusions) {
    if (fusions.on(fusion->name) && fusion->accepts(node)) return fusion;
  }
  return nullptr;
}

Status Claims::Open(TfLiteContext* context, const std::vector<int>& plan, const Options& options) {
  kernel_ = options.kernel;
  for (int index : plan) {
    Node node{{context, index}};
    TFLBNN_RETURN_IF_ERROR(node.reader.Open());
    if (IsLceNode(node.reader)) {
      TFLBNN_RETURN_IF_ERROR(ReadLceOperation(node.reader, options.kernel, nullptr));
      node.fusion = kLce;
    } else if (const Fusion* fusion = FusionOf(node.reader, options.fusions)) {
      node.fusion = static_cast<int>(fusion->name);
    }
    const int position = static_cast<int>(nodes_.size());
    const TfLiteIntArray *inputs = node.reader.node->inputs, *outputs = node.reader.node->outputs;
    for (int i = 0; inputs && i < inputs->size; ++i) readers_[inputs->data[i]].push_back(position);
    for (int i = 0; outputs && i < outputs->size; ++i) producers_[outputs->data[i]] = position;
    nodes_.push_back(node);
  }
  return Status::Ok();
}

std::vector<int> Claims::Settle() {
  UntilSettled([&](size_t i) {
    if (nodes_[i].fusion < 0 || kFusions[nodes_[i].fusion]->pays(*this, static_cast<int>(i)))
      return false;
    nodes_[i].fusion = kNone;
    return true;
  });
  DropFloatNetworks();
  std::vector<int> taken;
  for (const Node& node : nodes_) {
    if (node.fusion != kNone) taken.push_back(node.reader.index);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

void Claims::DropFloatNetworks() {
  std::vector<bool> leads(nodes_.size());
  const auto near = [&](int tensor) {
    const auto producer = producers_.find(tensor);
    if (producer != producers_.end() && leads[static_cast<size_t>(producer->second)]) return true;
    const auto readers = readers_.find(tensor);
    return readers != readers_.end() &&
           std::any_of(readers->second.begin(), readers->second.end(),
                       [&](int reader) { return leads[static_cast<size_t>(reader)]; });
  };
  UntilSettled([&](size_t i) -> bool {
    if (nodes_[i].fusion == kNone || leads[i]) return false;
    const TfLiteIntArray *in = nodes_[i].reader.node->inputs, *out = nodes_[i].reader.node->outputs;
    leads[i] = nodes_[i].fusion == kLce ||
               (in && std::any_of(in->data, in->data + in->size, near)) ||
               (out && std::any_of(out->data, out->data + out->size, near));
    return leads[i];
  });
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!leads[i]) nodes_[i].fusion = kNone;
  }
}

int Claims::ProducerOf(int tensor) const {
  const auto producer = producers_.find(tensor);
  return producer == producers_.end() ? kNone
                                      : nodes_[static_cast<size_t>(producer->second)].fusion;
}

bool Claims::ConvolutionMakes(int tensor) const {
  const auto producer = producers_.find(tensor);
  return producer != producers_.end() && IsFloatConvolution(node(producer->second));
}

bool Claims::InRegisters(int tensor) const {
  const int producer = ProducerOf(tensor);
  return ConvolutionMakes(tensor) || producer == static_cast<int>(FusionName::conv2d) ||
         producer == static_cast<int>(FusionName::dense) ||
         producer == static_cast<int>(FusionName::gate) ||
         producer == static_cast<int>(FusionName::prelu) ||
         producer == static_cast<int>(FusionName::relu) ||
         producer == static_cast<int>(FusionName::residual);
}

size_t Claims::ReaderCount(int tensor) const {
  const auto readers = readers_.find(tensor);
  return readers == readers_.end() ? 0 : readers->second.size();
}

bool Claims::AnyReader(int tensor, Test is) const {
  const auto readers = readers_.find(tensor);
  return readers != readers_.end() &&
         std::any_of(readers->second.begin(), readers->second.end(), [&](int i) {
           const int fusion = nodes_[static_cast<size_t>(i)].fusion;
           return fusion != kNone && is(*this, i, fusion);
         });
}

bool Claims::EveryReader(int tensor, Test is) const {
  const auto readers = readers_.find(tensor);
  return readers != readers_.end() &&
         std::all_of(readers->second.begin(), readers->second.end(), [&](int i) {
           const int fusion = nodes_[static_cast<size_t>(i)].fusion;
           return fusion != kNone && is(*this, i, fusion);
         });
}

}  // namespace tflbnn
