// One life of a delegate, from bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tflbnn::fuzz {

// Options, a graph, then allocations, resizes and invocations in any order. Runs it with some
// kernel and again with the reference; aborts where the two differ, in a status or in a byte of an
// output. Returns how many invocations succeeded.
int RunScenario(const uint8_t* data, size_t size);

}  // namespace tflbnn::fuzz
