// A straight-line program of operations over values, with one block of memory for what stays
// inside.
#pragma once

#include <memory>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/operation.h"

namespace tflbnn {

class Graph {
 public:
  // Values are numbered from 0 in the order of their creation. External ones (the graph's inputs,
  // and results that are wanted outside) live in memory that Bind() supplies, the others in the
  // graph's own.
  int AddValue(DataType type, bool external);
  // In execution order: inputs must be graph inputs or outputs of earlier operations.
  void AddOperation(std::unique_ptr<Operation> operation, std::vector<int> inputs, int output);

  // Sets an input's shape; takes effect with Resize().
  void SetShape(int value, const Shape& shape) { values_[value].shape = shape; }
  // Infers every other shape and reserves memory for a pool of `threads`.
  Status Resize(int threads);
  const Shape& shape(int value) const { return values_[value].shape; }
  DataType type(int value) const { return values_[value].type; }
  size_t bytes(int value) const { return values_[value].bytes; }
  size_t arena_bytes() const { return arena_.size(); }

  void Bind(int value, void* data) { values_[value].data = data; }
  void Run(ThreadPool* pool) const;

 private:
  struct Value {
    DataType type;
    bool external;
    Shape shape;
    size_t bytes = 0;
    void* data = nullptr;
  };
  struct Step {
    std::unique_ptr<Operation> operation;
    std::vector<int> inputs;
    int output;
    void* scratch = nullptr;
    mutable std::vector<const void*>
        arguments;  // one place for Run(), so that it need not allocate
  };
  Status InferShapes();
  Status ReserveMemory(int threads);

  std::vector<Value> values_;
  std::vector<Step> steps_;
  AlignedBuffer arena_;
};

}  // namespace tflbnn
