// The kernels of one operation, best first, and the choice among them.
#pragma once

#include <cstddef>

#include "core/cpu_features.h"

namespace tflbnn {

template <class Kernel>
struct KernelEntry {
  Isa isa;
  const Kernel& (*kernel)();
};

// The best kernel that needs no more than `isa`; null for Isa::kReference.
template <class Kernel, size_t N>
const Kernel* Select(const KernelEntry<Kernel> (&entries)[N], Isa isa) {
  if (isa == Isa::kReference) return nullptr;
  for (const KernelEntry<Kernel>& entry : entries) {
    if (entry.isa <= isa) return entry.kernel ? &entry.kernel() : nullptr;
  }
  return nullptr;
}

}  // namespace tflbnn
