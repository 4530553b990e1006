// Places buffers with known lifetimes into one block of memory.
#pragma once

#include <cstddef>
#include <vector>

namespace tflbnn {

struct ArenaBuffer {
  size_t bytes = 0;
  int first = 0, last = 0;  // steps during which the contents matter, both included
  size_t offset = 0;        // result, a multiple of kAlignment
};

// Greedy by size: the largest first, each at the lowest offset free during its whole lifetime.
// Returns the bytes the block needs.
size_t PlanArena(std::vector<ArenaBuffer>* buffers);

}  // namespace tflbnn
