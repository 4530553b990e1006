#include "fuzz/host.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

namespace tflbnn::fuzz {
namespace {

constexpr size_t kMaxTensorBytes = 1 << 13;  // beyond, allocation fails as if memory had run out

TfLiteIntArray* MakeArray(const std::vector<int>& items) {
  auto* array =
      static_cast<TfLiteIntArray*>(malloc(sizeof(TfLiteIntArray) + sizeof(int) * items.size()));
  array->size = static_cast<int>(items.size());
  std::copy(items.begin(), items.end(), array->data);
  return array;
}

std::vector<int> Items(const TfLiteIntArray* array) {
  return std::vector<int>(array->data, array->data + array->size);
}

bool BytesRequired(TfLiteType type, const TfLiteIntArray& dims, size_t* bytes) {
  *bytes = type == kTfLiteInt8 ? 1 : 4;
  for (int i = 0; i < dims.size; ++i) {
    if (dims.data[i] < 0) return false;
    const auto dim = static_cast<size_t>(dims.data[i]);
    if (dim > 0 && *bytes > SIZE_MAX / dim) return false;
    *bytes *= dim;
  }
  return true;
}

bool IsConstant(const TfLiteTensor& tensor) { return tensor.allocation_type == kTfLiteMmapRo; }

// Formatted, so that the sanitizers see what the format reads.
void ReportError(TfLiteContext*, const char* format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  static const bool verbose = getenv("TFLBNN_FUZZ_VERBOSE") != nullptr;
  if (verbose) fputs(text, stderr);
}

}  // namespace

Host::Host() {
  context_.impl_ = this;
  context_.ReportError = ReportError;
  context_.GetExecutionPlan = [](TfLiteContext* context, TfLiteIntArray** plan) {
    Host& host = Of(context);
    host.plan_array_.reset(MakeArray(host.plan_));
    *plan = static_cast<TfLiteIntArray*>(host.plan_array_.get());
    return kTfLiteOk;
  };
  context_.ResizeTensor = [](TfLiteContext* context, TfLiteTensor* tensor, TfLiteIntArray* dims) {
    return Of(context).Resize(tensor, dims);
  };
  context_.GetNodeAndRegistration = [](TfLiteContext* context, int index, TfLiteNode** node,
                                       TfLiteRegistration** registration) {
    Host& host = Of(context);
    if (index < 0 || index >= host.node_count()) return kTfLiteError;
    *node = &host.nodes_[static_cast<size_t>(index)].node;
    *registration = &host.nodes_[static_cast<size_t>(index)].registration;
    return kTfLiteOk;
  };
  context_.AddTensors = [](TfLiteContext* context, int count, int* first) {
    Host& host = Of(context);
    *first = host.tensor_count();
    for (int i = 0; i < count; ++i) host.AddTensor(kTfLiteNoType, {}, {});
    return kTfLiteOk;
  };
  context_.ReplaceNodeSubsetsWithDelegateKernels =
      [](TfLiteContext* context, TfLiteRegistration registration, const TfLiteIntArray* claimed,
         TfLiteDelegate* delegate) { return Of(context).Replace(registration, claimed, delegate); };
  context_.PreviewDelegatePartitioning = [](TfLiteContext* context, const TfLiteIntArray* claimed,
                                            TfLiteDelegateParams** params, int* count) {
    Host& host = Of(context);
    auto preview = std::make_unique<Preview>();
    const std::vector<Subset> subsets = host.Partition(claimed);
    preview->owned.resize(subsets.size());
    for (const Subset& subset : subsets) {
      if (!subset.delegated) continue;
      preview->params.emplace_back();
      host.FillParams(subset, nullptr, &preview->owned[preview->params.size() - 1],
                      &preview->params.back());
    }
    host.preview_ = std::move(preview);
    *params = host.preview_->params.data();
    *count = static_cast<int>(host.preview_->params.size());
    return kTfLiteOk;
  };
}

Host::~Host() {
  RemoveDelegates();
  for (TfLiteTensor& tensor : tensors_) free(tensor.dims);
}

int Host::AddTensor(TfLiteType type, const std::vector<int>& dims,
                    TfLiteQuantizationParams params) {
  std::vector<TfLiteTensor> moved;
  moved.reserve(tensors_.size() + 1);
  moved = tensors_;
  TfLiteTensor tensor{};
  tensor.type = type;
  tensor.dims = MakeArray(dims);
  tensor.params = params;
  tensor.allocation_type = kTfLiteArenaRw;
  if (!BytesRequired(type, *tensor.dims, &tensor.bytes)) tensor.bytes = 0;
  moved.push_back(tensor);
  tensors_ = std::move(moved);
  data_.emplace_back();
  context_.tensors = tensors_.data();
  context_.tensors_size = tensors_.size();
  return tensor_count() - 1;
}

int Host::AddConstant(TfLiteType type, const std::vector<int>& dims,
                      const std::vector<uint8_t>& data, int misalignment) {
  const int index = AddTensor(type, dims, {});
  const auto offset = static_cast<size_t>(misalignment);
  void* memory = nullptr;
  if (posix_memalign(&memory, 64, offset + data.size() + (data.empty() ? 1 : 0))) abort();
  data_.back().reset(memory);
  if (!data.empty()) memcpy(static_cast<uint8_t*>(memory) + offset, data.data(), data.size());
  tensor(index).allocation_type = kTfLiteMmapRo;
  tensor(index).data = data.empty() ? nullptr : static_cast<uint8_t*>(memory) + offset;
  tensor(index).bytes = data.size();
  return index;
}

void Host::AddNode(const NodeSpec& spec) {
  std::vector<Node> moved;
  moved.reserve(nodes_.size() + 1);
  for (Node& node : nodes_) moved.push_back(std::move(node));
  Node added;
  added.owned = std::make_shared<Owned>();
  Owned& owned = *added.owned;
  owned.spec = spec;
  owned.inputs.reset(MakeArray(spec.inputs));
  owned.outputs.reset(MakeArray(spec.outputs));
  added.node.inputs = static_cast<TfLiteIntArray*>(owned.inputs.get());
  added.node.outputs = static_cast<TfLiteIntArray*>(owned.outputs.get());
  if (!spec.parameters.empty()) added.node.builtin_data = owned.spec.parameters.data();
  if (!spec.options.empty()) {
    added.node.custom_initial_data = owned.spec.options.data();
    added.node.custom_initial_data_size = static_cast<int>(spec.options.size());
  }
  added.registration.builtin_code = spec.builtin_code;
  if (spec.builtin_code == kTfLiteBuiltinCustom)
    added.registration.custom_name = owned.spec.custom_name.c_str();
  added.registration.version = 1;
  moved.push_back(std::move(added));
  nodes_ = std::move(moved);
  plan_.push_back(node_count() - 1);
  original_nodes_ = node_count();
}

// TFLite's algorithm (its graph_info.cc): nodes join the growing subset when all they read is
// ready and they are of its kind; a new one begins when no node does.
std::vector<Host::Subset> Host::Partition(const TfLiteIntArray* claimed) const {
  constexpr int kNotReady = -1, kAlwaysReady = -2;
  const std::set<int> ours(claimed->data, claimed->data + claimed->size);
  std::vector<int> tensor_epoch(tensors_.size(), kAlwaysReady);
  std::vector<bool> done(nodes_.size(), false);
  for (int node : plan_) {
    for (int tensor : nodes_[static_cast<size_t>(node)].owned->spec.outputs)
      if (tensor >= 0) tensor_epoch[static_cast<size_t>(tensor)] = kNotReady;
  }
  std::vector<Subset> subsets;
  for (;;) {
    const int epoch = static_cast<int>(subsets.size());
    Subset subset;
    for (bool changed = true; changed;) {
      changed = false;
      for (int index : plan_) {
        const NodeSpec& spec = nodes_[static_cast<size_t>(index)].owned->spec;
        const bool ready = std::all_of(spec.inputs.begin(), spec.inputs.end(), [&](int tensor) {
          return tensor < 0 || tensor_epoch[static_cast<size_t>(tensor)] != kNotReady;
        });
        if (done[static_cast<size_t>(index)] || !ready) continue;
        if (subset.nodes.empty()) subset.delegated = ours.count(index) > 0;
        if (subset.delegated != (ours.count(index) > 0)) continue;
        done[static_cast<size_t>(index)] = changed = true;
        subset.nodes.push_back(index);
        for (int tensor : spec.outputs)
          if (tensor >= 0) tensor_epoch[static_cast<size_t>(tensor)] = epoch;
        for (int tensor : spec.inputs) {
          if (tensor < 0) continue;
          const int from = tensor_epoch[static_cast<size_t>(tensor)];
          if (from == epoch) continue;
          subset.inputs.push_back(tensor);
          if (from >= 0) subsets[static_cast<size_t>(from)].outputs.push_back(tensor);
        }
      }
    }
    if (subset.nodes.empty()) break;
    subsets.push_back(std::move(subset));
  }
  for (int tensor : outputs) {
    const int from = tensor_epoch[static_cast<size_t>(tensor)];
    if (from >= 0) subsets[static_cast<size_t>(from)].outputs.push_back(tensor);
  }
  for (Subset& subset : subsets) {
    for (std::vector<int>* tensors : {&subset.inputs, &subset.outputs}) {
      std::sort(tensors->begin(), tensors->end());
      tensors->erase(std::unique(tensors->begin(), tensors->end()), tensors->end());
    }
  }
  return subsets;
}

void Host::FillParams(const Subset& subset, TfLiteDelegate* delegate, Owned* owned,
                      TfLiteDelegateParams* params) const {
  owned->nodes.reset(MakeArray(subset.nodes));
  owned->inputs.reset(MakeArray(subset.inputs));
  owned->outputs.reset(MakeArray(subset.outputs));
  *params = {delegate, static_cast<TfLiteIntArray*>(owned->nodes.get()),
             static_cast<TfLiteIntArray*>(owned->inputs.get()),
             static_cast<TfLiteIntArray*>(owned->outputs.get())};
}

TfLiteStatus Host::Replace(TfLiteRegistration registration, const TfLiteIntArray* claimed,
                           TfLiteDelegate* delegate) {
  const std::vector<Subset> subsets = Partition(claimed);
  plan_.clear();
  for (const Subset& subset : subsets) {
    if (!subset.delegated) {
      plan_.insert(plan_.end(), subset.nodes.begin(), subset.nodes.end());
      continue;
    }
    NodeSpec spec;
    spec.inputs = subset.inputs;
    spec.outputs = subset.outputs;
    const int original = original_nodes_;
    AddNode(spec);
    original_nodes_ = original;
    ++delegated_nodes_;
    Node& node = nodes_.back();
    FillParams(subset, delegate, node.owned.get(), &node.owned->params);
    node.node.inputs = node.owned->params.input_tensors;
    node.node.outputs = node.owned->params.output_tensors;
    node.node.builtin_data = &node.owned->params;
    node.node.delegate = delegate;
    node.registration = registration;
    void* const user_data = registration.init(
        &context_, reinterpret_cast<const char*>(&node.owned->params), sizeof(node.owned->params));
    nodes_.back().node.user_data = user_data;
    for (int output : subset.outputs) tensor(output).delegate = delegate;
  }
  return kTfLiteOk;
}

TfLiteStatus Host::ApplyDelegate(TfLiteDelegate* delegate) {
  prepared_ = false;
  context_.recommended_num_threads = recommended_threads;
  const TfLiteStatus status = delegate->Prepare(&context_, delegate);
  preview_.reset();
  if (status != kTfLiteOk) RemoveDelegates();
  return status;
}

void Host::RemoveDelegates() {
  while (node_count() > original_nodes_) {
    Node& node = nodes_.back();
    if (node.node.user_data) node.registration.free(&context_, node.node.user_data);
    nodes_.pop_back();
  }
  plan_.clear();
  for (int i = 0; i < node_count(); ++i) plan_.push_back(i);
}

TfLiteStatus Host::Resize(TfLiteTensor* tensor, TfLiteIntArray* dims) {
  Memory owned(dims);
  if (IsConstant(*tensor)) return kTfLiteError;
  size_t bytes;
  if (!BytesRequired(tensor->type, *dims, &bytes)) return kTfLiteError;
  resized_ = true;
  free(tensor->dims);
  tensor->dims = static_cast<TfLiteIntArray*>(owned.release());
  tensor->bytes = bytes;
  const auto index = static_cast<size_t>(tensor - tensors_.data());
  data_[index].reset();
  tensor->data = nullptr;
  if (tensor->allocation_type == kTfLiteDynamic) return AllocateTensors();
  return kTfLiteOk;
}

TfLiteStatus Host::ResizeInput(int input, const std::vector<int>& dims) {
  prepared_ = false;
  return Resize(&tensor(input), MakeArray(dims));
}

TfLiteStatus Host::AllocateTensors() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    TfLiteTensor& tensor = tensors_[i];
    if (IsConstant(tensor) || data_[i] || tensor.bytes == 0) continue;
    void* memory = nullptr;
    if (tensor.bytes > kMaxTensorBytes || posix_memalign(&memory, 64, tensor.bytes))
      return kTfLiteError;
    data_[i].reset(memory);
    tensor.data = memory;
    Fill(static_cast<int>(i));
  }
  return kTfLiteOk;
}

TfLiteStatus Host::Allocate() {
  next_to_prepare_ = 0;
  prepared_ = PrepareFrom(0) == kTfLiteOk;
  return prepared_ ? kTfLiteOk : kTfLiteError;
}

// Nodes after one with a dynamic output wait until it has run.
TfLiteStatus Host::PrepareFrom(size_t position) {
  for (size_t i = position; i < plan_.size(); ++i) {
    Node& node = nodes_[static_cast<size_t>(plan_[i])];
    if (PrepareNode(&node) != kTfLiteOk) return kTfLiteError;
    next_to_prepare_ = i + 1;
    if (node.owned->spec.rule == ShapeRule::kDynamic) break;
  }
  return AllocateTensors();
}

TfLiteStatus Host::PrepareNode(Node* node) {
  if (node->registration.prepare) return node->registration.prepare(&context_, &node->node);
  const NodeSpec& spec = node->owned->spec;
  if (spec.builtin_code == kTfLiteBuiltinCustom) return kTfLiteError;  // nobody implements it
  const TfLiteTensor* source = nullptr;
  for (int input : spec.inputs) {
    if (!source && input >= 0 && !IsConstant(tensor(input))) source = &tensor(input);
  }
  for (int output : spec.outputs) {
    if (output < 0) continue;
    if (spec.rule == ShapeRule::kDynamic) {
      if (IsConstant(tensor(output))) return kTfLiteError;
      tensor(output).allocation_type = kTfLiteDynamic;
    } else if (spec.rule == ShapeRule::kSameAsInput && source && source != &tensor(output)) {
      const std::vector<int> dims = Items(source->dims);
      if (dims == Items(tensor(output).dims)) continue;
      if (Resize(&tensor(output), MakeArray(dims)) != kTfLiteOk) return kTfLiteError;
    }
  }
  return kTfLiteOk;
}

TfLiteStatus Host::InvokeNode(Node* node) {
  if (node->registration.invoke) return node->registration.invoke(&context_, &node->node);
  for (int output : node->owned->spec.outputs) {
    if (output < 0 || IsConstant(tensor(output))) continue;
    if (node->owned->spec.rule == ShapeRule::kDynamic) {
      std::vector<int> dims = Items(tensor(output).dims);
      if (dims.size() > 1) dims[1] = dims[1] % 5 + 1;
      if (Resize(&tensor(output), MakeArray(dims)) != kTfLiteOk) return kTfLiteError;
    }
    Fill(output);
  }
  return kTfLiteOk;
}

TfLiteStatus Host::Invoke() {
  if (!prepared_) return kTfLiteError;
  for (int input : inputs) Fill(input);
  for (size_t i = 0; i < plan_.size(); ++i) {
    if (i == next_to_prepare_ && PrepareFrom(i) != kTfLiteOk) return kTfLiteError;
    resized_ = false;
    Node& node = nodes_[static_cast<size_t>(plan_[i])];
    if (InvokeNode(&node) != kTfLiteOk) return kTfLiteError;
    if (resized_) next_to_prepare_ = i + 1;
  }
  return kTfLiteOk;
}

void Host::Fill(int index) {
  static constexpr uint32_t kSpecial[] = {0x00000000, 0x80000000, 0x7f800000, 0xff800000,
                                          0x7fc00000, 0xffc00000, 0x00000001, 0x80000001,
                                          0x3f800000, 0xbf800000, 0x7f7fffff, 0xff7fffff};
  const TfLiteTensor& filled = tensor(index);
  if (!filled.data || IsConstant(filled)) return;
  auto* const bytes = static_cast<uint8_t*>(filled.data);
  for (size_t i = 0; i < filled.bytes; i += 4) {
    seed_ = seed_ * 1664525u + 1013904223u;
    uint32_t word = seed_ ^ seed_ >> 15;
    if (filled.type == kTfLiteFloat32 && word % 4 == 0) word = kSpecial[word / 4 % 12];
    memcpy(bytes + i, &word, std::min<size_t>(4, filled.bytes - i));
  }
}

}  // namespace tflbnn::fuzz
