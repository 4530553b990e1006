// One node of a graph: knows its outputs' shapes, its scratch memory, and how to run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/status.h"
#include "core/tensor.h"
#include "core/thread_pool.h"

namespace tflbnn {

class Operation {
 public:
  struct Arguments {
    const void* const* inputs;
    void* const* outputs;
    void* scratch;  // ScratchBytes() bytes, 64-byte aligned
    ThreadPool* pool;
  };

  virtual ~Operation() = default;
  virtual const char* name() const = 0;
  // Called before the first Run() and whenever an input's shape changes. `inputs` are valid sizes.
  virtual Status Resize(const Shape* inputs, Shape* outputs) = 0;
  virtual size_t ScratchBytes(int /*threads*/) const { return 0; }
  // Allocates nothing; called only with sizes that Resize() accepted.
  virtual void Run(const Arguments& arguments) const = 0;
  // An input of the same shape whose memory an output may take over, because each of its elements
  // is read before that place is written and never again; -1: none.
  virtual int OverwrittenInput(int /*output*/) const { return -1; }
  // For profiles: what it computes with, and how many binary multiply-accumulates a run takes.
  virtual const char* kernel() const { return "scalar"; }
  virtual int64_t binary_macs() const { return 0; }
  // What happens to its results before they reach memory, such as "add,bits".
  virtual std::string stages() const { return {}; }
};

}  // namespace tflbnn
