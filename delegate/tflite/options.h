// The delegate's options, as the name and value strings that TFLite's plugin interface passes.
#pragma once

#include <cstddef>

#include "core/cpu_features.h"
#include "core/status.h"

namespace tflbnn {

struct Options {
  int num_threads = 0;  // 0: what the interpreter recommends
  Isa kernel = Isa::kScalar;
};

constexpr int kMaxThreads = 256;

// The environment variable TFLBNN_KERNEL is the default of `kernel`. Unknown names and values are refused with the
// nearest known one.
Status ParseOptions(const char* const* keys, const char* const* values, size_t count, Options* options);

}  // namespace tflbnn
