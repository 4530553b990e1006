// A straight-line program of operations over values; what stays inside lives in memory that the
// owner lends while the program runs.
#pragma once

#include <memory>
#include <vector>

#include "core/graph/arena.h"
#include "core/graph/observer.h"
#include "core/operation.h"

namespace tflbnn {

class Graph {
 public:
  // Values are numbered from 0 in the order of their creation. External ones (the graph's inputs,
  // and results that are wanted outside) live in memory that Bind() supplies.
  int AddValue(DataType type, bool external);
  // In execution order: inputs must be graph inputs or outputs of earlier operations. Several
  // operations may write parts of one value.
  void AddOperation(std::unique_ptr<Operation> operation, std::vector<int> inputs,
                    std::vector<int> outputs);

  // Sets an input's shape; takes effect with Resize().
  void SetShape(int value, const Shape& shape) { values_[value].shape = shape; }
  // Infers every other shape and lays out the memory for a pool of `threads`.
  Status Resize(int threads);
  const Shape& shape(int value) const { return values_[value].shape; }
  DataType type(int value) const { return values_[value].type; }
  size_t bytes(int value) const { return values_[value].bytes; }
  size_t arena_bytes() const { return arena_bytes_; }

  void Bind(int value, void* data) { values_[value].data = data; }
  // `arena` has arena_bytes(), 64-byte aligned; nothing in it is kept between runs. Fails only
  // where an observer says so.
  Status Run(uint8_t* arena, ThreadPool* pool) const;

  // For observers, before Resize(); those added first see most of the others' work.
  void SetName(int value, const char* name) { values_[value].name = name; }
  void AddObserver(std::shared_ptr<Observer> observer) {
    observers_.push_back(std::move(observer));
  }
  // Leaves the graph without its operations.
  std::vector<std::unique_ptr<Operation>> TakeOperations();

 private:
  struct Value {
    DataType type;
    bool external;
    bool written;
    Shape shape;
    size_t bytes = 0, offset = 0;
    void* data = nullptr;
    std::string name;
  };
  struct Step {
    std::unique_ptr<Operation> operation;
    std::vector<int> inputs, outputs;
    size_t scratch = 0;
    // A place for Run(), so that it need not allocate.
    mutable std::vector<const void*> in;
    mutable std::vector<void*> out;
  };
  // Steps [begin, end) of a strand, see strands.h.
  struct Range {
    int begin, end;
  };
  // Puts the steps of a strand next to each other.
  void FindBeside();
  Status InferShapes();
  void LayOutMemory(int threads);
  // Buffers of strands that run at the same time must not share memory: those that live within a
  // strand become one buffer, for all the time that the strands run.
  struct Part {
    size_t buffer, of;
    size_t offset;
  };
  std::vector<Part> SetApart(std::vector<ArenaBuffer>* buffers) const;
  // Lets outputs take over the memory of inputs that nobody needs any more.
  void ShareMemory(std::vector<ArenaBuffer>* buffers, std::vector<int>* owner) const;
  Status ResizeObservers(int threads);
  Status RunSteps(Range steps, uint8_t* arena, ThreadPool* pool) const;

  std::vector<Value> values_;
  std::vector<Step> steps_;
  std::vector<Range> beside_;  // the strands; empty or several, after each other
  bool strands_found_ = false, parallel_ = false;
  size_t arena_bytes_ = 0;
  std::vector<std::shared_ptr<Observer>> observers_;
};

}  // namespace tflbnn
