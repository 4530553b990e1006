// A TensorFlow Lite interpreter as far as a delegate sees it, small enough to run a million times
// under sanitizers: it holds a graph, partitions it as TFLite does, and calls the delegate's
// functions in TFLite's order, but it computes nothing itself.
//
// It is harsher than TFLite: each tensor has memory of its own, exactly as long as it must be, and
// whatever TFLite may move (its arrays of nodes and tensors, previews) moves whenever it may.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tflite/abi.h"

namespace tflbnn::fuzz {

// Operations that are not the delegate's are named by TFLite's code alone. Two kinds matter: those
// whose output has the shape of their input, and those whose output's shape is known only once
// they have run (TFLite then calls it dynamic).
enum class ShapeRule { kDeclared, kSameAsInput, kDynamic };

struct NodeSpec {
  int builtin_code = kTfLiteBuiltinCustom;
  std::string custom_name;
  ShapeRule rule = ShapeRule::kDeclared;
  std::vector<int> inputs, outputs;
  std::vector<int32_t> parameters;  // what builtin_data points to
  std::vector<uint8_t> options;     // custom_initial_data
};

class Host {
 public:
  Host();
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  int AddTensor(TfLiteType type, const std::vector<int>& dims, TfLiteQuantizationParams params);
  // `data` need not fit `dims`; its address is `misalignment` past a multiple of 64.
  int AddConstant(TfLiteType type, const std::vector<int>& dims, const std::vector<uint8_t>& data,
                  int misalignment);
  void AddNode(const NodeSpec& spec);
  std::vector<int> inputs, outputs;

  TfLiteStatus ApplyDelegate(TfLiteDelegate* delegate);
  TfLiteStatus Allocate();
  TfLiteStatus ResizeInput(int input, const std::vector<int>& dims);
  // Gives the inputs new numbers first.
  TfLiteStatus Invoke();

  int tensor_count() const { return static_cast<int>(tensors_.size()); }
  TfLiteTensor& tensor(int i) { return tensors_[static_cast<size_t>(i)]; }
  int node_count() const { return static_cast<int>(nodes_.size()); }
  int delegated_nodes() const { return delegated_nodes_; }
  int recommended_threads = 1;

 private:
  struct Free {
    void operator()(void* p) const { free(p); }
  };
  using Memory = std::unique_ptr<void, Free>;
  // All that a node's pointers lead to; its address stays while TfLiteNode itself moves.
  struct Owned {
    NodeSpec spec;
    Memory inputs, outputs, nodes;
    TfLiteDelegateParams params{};
  };
  struct Node {
    TfLiteNode node{};
    TfLiteRegistration registration{};
    std::shared_ptr<Owned> owned;
  };
  struct Subset {
    bool delegated = false;
    std::vector<int> nodes, inputs, outputs;
  };
  struct Preview {
    std::vector<Owned> owned;
    std::vector<TfLiteDelegateParams> params;
  };

  static Host& Of(TfLiteContext* context) { return *static_cast<Host*>(context->impl_); }
  std::vector<Subset> Partition(const TfLiteIntArray* claimed) const;
  void FillParams(const Subset& subset, TfLiteDelegate* delegate, Owned* owned,
                  TfLiteDelegateParams* params) const;
  TfLiteStatus Replace(TfLiteRegistration registration, const TfLiteIntArray* claimed,
                       TfLiteDelegate* delegate);
  TfLiteStatus Resize(TfLiteTensor* tensor, TfLiteIntArray* dims);
  void RemoveDelegates();
  TfLiteStatus PrepareFrom(size_t position);
  TfLiteStatus PrepareNode(Node* node);
  TfLiteStatus InvokeNode(Node* node);
  TfLiteStatus AllocateTensors();
  void Fill(int tensor);

  TfLiteContext context_{};
  std::vector<TfLiteTensor> tensors_;
  std::vector<Memory> data_;  // of tensors_
  std::vector<Node> nodes_;
  std::vector<int> plan_;
  Memory plan_array_;
  std::unique_ptr<Preview> preview_;
  int delegated_nodes_ = 0, original_nodes_ = 0;
  size_t next_to_prepare_ = 0;
  bool prepared_ = false, resized_ = false;
  uint32_t seed_ = 1;
};

}  // namespace tflbnn::fuzz
