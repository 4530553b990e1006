// Fusions: nodes of TFLite's own that the delegate takes because they vanish into binary work. Each
// is one file that says which nodes it accepts, when taking one pays, and what becomes of it.
#pragma once

#include <map>
#include <vector>

#include "tflite/node.h"
#include "tflite/options.h"
#include "tflite/plan.h"

namespace tflbnn {

// The nodes of an execution plan, and which of them the delegate takes.
class Claims {
 public:
  Status Open(TfLiteContext* context, const std::vector<int>& plan, const Options& options);
  // Drops what does not pay, until nothing changes, and what leads to no binary operation: a float
  // network stays TFLite's. The nodes left, in order.
  std::vector<int> Settle();

  // Of the node that writes a tensor, if it is taken: its fusion, kLce or kNone.
  enum { kNone = -1, kLce = -2 };
  int ProducerOf(int tensor) const;
  const NodeReader& Producer(int tensor) const { return node(producers_.at(tensor)); }
  bool ConvolutionMakes(int tensor) const;
  // Whether a chain of ours makes a tensor, so that a stage of its epilogue finds it there.
  bool InRegisters(int tensor) const;
  size_t ReaderCount(int tensor) const;
  // Whether somebody / everybody who reads a tensor is taken, and is what `is` says.
  using Test = bool (*)(const Claims& claims, int node, int fusion);
  bool AnyReader(int tensor, Test is) const;
  bool EveryReader(int tensor, Test is) const;
  Isa kernel() const { return kernel_; }
  const NodeReader& node(int i) const { return nodes_[static_cast<size_t>(i)].reader; }

 private:
  void DropFloatNetworks();
  // Asks nodes in order and against it in turn, as one answer hangs on others up or down a long
  // chain, until none changes: change() says whether it did.
  template <class Change>
  void UntilSettled(const Change& change) {
    bool changed = true;
    for (bool forward = false; changed; forward = !forward) {
      changed = false;
      for (size_t k = 0; k < nodes_.size(); ++k)
        changed |= change(forward ? k : nodes_.size() - 1 - k);
    }
  }

  struct Node {
    NodeReader reader;
    int fusion = kNone;
  };
  Isa kernel_ = Isa::kReference;
  std::vector<Node> nodes_;
  std::map<int, int> producers_;             // by tensor
  std::map<int, std::vector<int>> readers_;  // by tensor
};

struct Fusion {
  FusionName name;
  // Whether the node has the form that the fusion knows.
  bool (*accepts)(const NodeReader& node);
  bool (*pays)(const Claims& claims, int node);
  // Adds an accepted node to the plan.
  Status (*add)(Plan* plan, const NodeReader& node);
};

#define FUSION(name) extern const Fusion name##_fusion;
#include "tflite/fusion/fusions.inc"
#undef FUSION

// In the order of FusionName.
extern const Fusion* const kFusions[];

// The fusion that accepts a node among those that are switched on, or null.
const Fusion* FusionOf(const NodeReader& node, const Fusions& fusions);

}  // namespace tflbnn
