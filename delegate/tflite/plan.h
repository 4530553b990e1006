// A partition on its way from TFLite's nodes to a graph of ours: operations, each followed by the
// stages that later nodes added to it.
//
// Float tensors need not be in memory. A chain is an operation (a convolution, or the
// loading of a tensor) and its stages; while it runs, one tensor after the other is in registers.
// Whoever wants a tensor in memory, or its signs, adds a stage to the chain at a place where the
// tensor is there. A view is a tensor that is not even in registers: channels of other tensors
// after each other, each multiplied and added to.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/epilogue/chain.h"
#include "core/graph/graph.h"
#include "tflite/node.h"
#include "tflite/options.h"

namespace tflbnn {

struct Segment {
  int tensor, channels;
  Affine affine;
};
using View = std::vector<Segment>;
int Channels(const View& view);

class Plan {
 public:
  Plan(TfLiteContext* context, const Options& options, std::set<int> outputs)
      : context_(context), options_(options), outputs_(std::move(outputs)) {}
  TfLiteContext* context() const { return context_; }
  const Options& options() const { return options_; }

  // Whether a tensor is wanted outside.
  bool IsOutput(int tensor) const { return outputs_.count(tensor) > 0; }
  // Leaves a node to the only reader of its output.
  void Defer(int output, const NodeReader& node) { deferred_.emplace(output, node); }
  const NodeReader* Deferred(int output) const {
    const auto found = deferred_.find(output);
    return found == deferred_.end() ? nullptr : &found->second;
  }

  // An operation of its own, over tensors in memory.
  void Add(std::unique_ptr<Operation> operation, std::vector<int> inputs, int output);
  // Likewise, to run as soon as its only input is there and still in the caches. Several operations
  // may write parts of an output.
  void AddEarly(std::unique_ptr<Operation> operation, int input, int output);
  // The head of a chain, and a clamp where there are limits.
  void AddChain(std::unique_ptr<ChainOperation> operation, int channels, int input,
                const Limits& limits, int output);

  // How to read a float tensor; itself, unless it was defined as a view.
  View Read(int tensor) const;
  void Define(int tensor, View view) { views_[tensor] = std::move(view); }
  // Has a float tensor written to memory.
  void Store(int tensor);

  struct Stage {
    StageKind kind;
    std::vector<float> values;
    std::vector<bool> negate;
    float low = 0, high = 0;
    int tensor = -1;           // read or written
    int total = 0, first = 0;  // channels or words of a written tensor
  };
  // Adds a stage that turns tensor `from` into tensor `to`: to the chain that makes `from` where
  // possible (nothing else is made of it there, and what the stage reads comes earlier), else to a
  // new chain.
  void Transform(int from, Stage stage, int to);
  // A stage that clamps.
  void Limit(int from, const Limits& limits, int to);
  // Adds stages that only look: where `tensor` is in registers, or in a new chain that loads it.
  void Observe(int tensor, Stage stage);
  // Writes the signs of numbers (x * affine) into words of `output`.
  void Signs(const Segment& segment, int total, int first, int output);

  // A tensor that is not TFLite's.
  int NewTensor() { return next_own_--; }
  // The step that makes a tensor, -1 for one from outside.
  int MakerOf(int tensor) const;

  // Tensors that some step writes to memory.
  std::set<int> Written() const;
  // Moves everything into `graph`. `value` gives the graph's value of a tensor; negative ones are
  // floats of our own.
  Status Build(Graph* graph, const std::function<Status(int tensor, int* value)>& value);

 private:
  struct Made {
    int tensor;
    size_t end;  // stages up to here find it in registers
  };
  struct Step {
    std::unique_ptr<Operation> operation;  // null: loads inputs[0]
    ChainOperation* head = nullptr;        // the operation, if it has an epilogue
    std::vector<int> inputs, outputs;
    int channels = 0;
    std::vector<Stage> stages;
    std::vector<Made> made;  // empty: no chain
    int after = -1;          // the step behind which it comes, if `early`
    bool early = false;
  };
  size_t Load(int tensor);     // a new chain
  size_t ChainOf(int tensor);  // where it is in registers; a new one if nowhere
  bool Before(int tensor, size_t step) const;
  int PlaceOf(int step) const;  // in the order of execution: behind this one
  int Apply(const Affine& affine, int from, int to);
  static Epilogue MakeEpilogue(Step* step);

  TfLiteContext* const context_;
  const Options& options_;
  const std::set<int> outputs_;
  std::map<int, NodeReader> deferred_;
  std::vector<Step> steps_;
  std::map<int, View> views_;
  std::map<int, size_t> makers_;   // the step that makes a tensor, the last one of a view
  std::map<int, size_t> loaders_;  // a chain that loads a tensor
  std::set<int> stored_;
  std::map<int, int> stored_views_;  // channels
  int next_own_ = -2;
};

}  // namespace tflbnn
