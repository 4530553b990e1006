// One connected piece of a TFLite graph that the delegate took over: a core graph and its binding
// to TFLite's tensors.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/graph/graph.h"
#include "tflite/abi.h"
#include "tflite/options.h"
#include "tflite/profiles.h"

namespace tflbnn {

// What all partitions of one delegate share; they keep it alive, so the delegate and the
// interpreters may go in any order.
struct SharedState {
  SharedState(const Options& options, int threads)
      : kernel(options.kernel),
        fusions(options.fusions),
        profile(options.profile),
        verify(options.verify),
        pool(threads) {}
  const Isa kernel;
  const Fusions fusions;
  const bool profile, verify;
  Profiles profiles;
  ThreadPool pool;
};

class Partition {
 public:
  explicit Partition(std::shared_ptr<SharedState> shared) : shared_(std::move(shared)) {}
  // Builds the graph, packing weights; called once.
  Status Build(TfLiteContext* context, const TfLiteDelegateParams& params);
  // Infers shapes, resizes TFLite's output tensors, reserves memory; called whenever shapes may
  // have changed.
  Status Prepare(TfLiteContext* context);
  Status Invoke(TfLiteContext* context);

 private:
  struct Binding {
    int tensor, value;
  };
  // What looks on while the graph runs, as the options ask for it.
  Status AddObservers(TfLiteContext* context, const TfLiteDelegateParams& params);
  // The graph's values for what a node reads and writes.
  Status InputOf(const TfLiteContext* context, int tensor, int* value);
  Status OutputOf(const TfLiteContext* context, int tensor, int* value);

  std::shared_ptr<SharedState> shared_;
  Graph graph_;
  std::unordered_map<int, int> values_;  // TFLite tensor -> graph value
  std::vector<Binding> inputs_, outputs_;
};

}  // namespace tflbnn
