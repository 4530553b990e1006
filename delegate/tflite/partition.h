// One connected piece of a TFLite graph that the delegate took over: a core graph and its binding
// to TFLite's tensors.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/graph/graph.h"
#include "tflite/abi.h"
#include "tflite/options.h"
#include "tflite/plan.h"
#include "tflite/profiles.h"

namespace tflbnn {

// What all partitions of one delegate share; they keep it alive, so the delegate and the
// interpreters may go in any order.
struct SharedState {
  SharedState(const Options& options_given, int threads) : options(options_given), pool(threads) {}
  const Options options;
  Profiles profiles;
  ThreadPool pool;

  // The memory for intermediate results that the partitions of one interpreter share: they run one
  // after the other, and none keeps anything there. Freed with the last of them.
  std::shared_ptr<AlignedBuffer> ArenaOf(const TfLiteContext* context);

 private:
  std::mutex mutex_;  // interpreters in several threads may share the delegate
  std::map<const TfLiteContext*, std::weak_ptr<AlignedBuffer>> arenas_;
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
  Status AddNode(Plan* plan, const NodeReader& node);
  // What looks on while the graph runs, as the options ask for it. `values`: of the graph, by
  // tensor.
  Status AddObservers(TfLiteContext* context, const TfLiteDelegateParams& params,
                      const std::map<int, int>& values);

  std::shared_ptr<SharedState> shared_;
  Graph graph_;
  std::shared_ptr<AlignedBuffer> arena_;
  std::vector<Binding> inputs_, outputs_;
};

}  // namespace tflbnn
