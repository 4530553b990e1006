#include "core/graph/arena.h"

#include <algorithm>

#include "core/aligned_buffer.h"

namespace tflbnn {

size_t PlanArena(std::vector<ArenaBuffer>* buffers) {
  std::vector<ArenaBuffer*> order;
  for (ArenaBuffer& buffer : *buffers) order.push_back(&buffer);
  std::stable_sort(order.begin(), order.end(),
                   [](const ArenaBuffer* a, const ArenaBuffer* b) { return a->bytes > b->bytes; });
  size_t total = 0;
  std::vector<ArenaBuffer*> placed;  // by offset
  for (ArenaBuffer* buffer : order) {
    size_t offset = 0;
    for (const ArenaBuffer* other : placed) {
      if (other->first > buffer->last || buffer->first > other->last) continue;
      if (offset + buffer->bytes <= other->offset) break;
      offset = std::max(offset, AlignUp(other->offset + other->bytes));
    }
    buffer->offset = offset;
    total = std::max(total, AlignUp(offset + buffer->bytes));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), buffer,
                                   [](const ArenaBuffer* a, const ArenaBuffer* b) {
                                     return a->offset < b->offset;
                                   }),
                  buffer);
  }
  return total;
}

}  // namespace tflbnn
