// The delegate's options, as the name and value strings that TFLite's plugin interface passes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cpu_features.h"
#include "core/status.h"

namespace tflbnn {

// Rewritings of the graph that change nothing but the time it takes.
enum class FusionName {
#define FUSION(name) name,
#include "tflite/fusion/fusions.inc"
#undef FUSION
};

struct Fusions {
  uint32_t bits = ~0u;
  bool on(FusionName name) const { return bits >> static_cast<int>(name) & 1; }
};

struct Options {
  int num_threads = 0;  // 0: what the interpreter recommends
  Isa kernel = Isa::kScalar;
  Fusions fusions;
  bool profile = false;  // record how long each operation takes
  bool verify = false;   // run the reference kernels beside every operation and compare
};

constexpr int kMaxThreads = 256;

// num_threads, kernel (the environment variable TFLBNN_KERNEL is its default), fusion: "all",
// "none", or a list of names (tflite/fusion/fusions.inc) from left to right, each with a - in front
// to leave it out, such as "-concat,-pool" or "none,batch_norm". profile and verify: "true" or
// "false".
// Unknown names and values are refused with the nearest known one.
Status ParseOptions(const char* const* keys, const char* const* values, size_t count,
                    Options* options);

}  // namespace tflbnn
