#include "core/graph/arena.h"

#include "core/aligned_buffer.h"
#include "core/graph/graph.h"
#include "core/quantize/quantize.h"
#include "tests/testing.h"

namespace tflbnn {
namespace {

TEST(ArenaKeepsLivingBuffersApart) {
  testing::Random random(1);
  for (int trial = 0; trial < testing::Trials(2000); ++trial) {
    std::vector<ArenaBuffer> buffers(static_cast<size_t>(random.Between(0, 12)));
    size_t sum = 0;
    for (ArenaBuffer& buffer : buffers) {
      buffer.bytes = static_cast<size_t>(random.OneIn(5) ? 0 : random.Between(1, 500));
      buffer.first = random.Between(0, 8);
      buffer.last = buffer.first + random.Between(0, 4);
      sum += AlignUp(buffer.bytes);
    }
    const size_t total = PlanArena(&buffers);
    CHECK(total <= sum);
    for (const ArenaBuffer& a : buffers) {
      CHECK_EQ(a.offset % kAlignment, size_t{0});
      CHECK(a.offset + a.bytes <= total);
      for (const ArenaBuffer& b : buffers) {
        const bool together = a.first <= b.last && b.first <= a.last;
        const bool overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
        if (&a != &b && together && a.bytes && b.bytes) CHECK(!overlap);
      }
    }
  }
}

TEST(ArenaReusesMemory) {
  std::vector<ArenaBuffer> chain;
  for (int i = 0; i < 20; ++i) chain.push_back({640, i, i + 1, 0});
  CHECK_EQ(PlanArena(&chain), size_t{1280});
}

TEST(GraphOfTwoOperationsAfterResizing) {
  // Numbers to signs and back: the signs live in the graph's own memory.
  Graph graph;
  const int input = graph.AddValue(DataType::kInt8, true),
            bits = graph.AddValue(DataType::kBits, false),
            output = graph.AddValue(DataType::kFloat32, true);
  graph.AddOperation(std::make_unique<Quantize>(0, BestIsa()), {input}, {bits});
  graph.AddOperation(std::make_unique<Dequantize>(DataType::kFloat32, 1.f, -1.f, 40), {bits},
                     {output});
  ThreadPool pool(2);
  testing::Random random(2);
  for (const int rows : {3, 200, 0, 1}) {
    graph.SetShape(input, Shape{2, {rows, 40}});
    CHECK(graph.Resize(pool.size()).ok());
    CHECK(graph.shape(output) == (Shape{2, {rows, 40}}));
    std::vector<int8_t> x(static_cast<size_t>(rows) * 40 + 1);
    std::vector<float> y(x.size(), 7.f);
    for (int8_t& v : x) v = static_cast<int8_t>(random.Bits());
    graph.Bind(input, x.data());
    graph.Bind(output, y.data());
    AlignedBuffer arena;
    CHECK(arena.Allocate(graph.arena_bytes()));
    CHECK(graph.Run(arena.data(), &pool).ok());
    for (size_t i = 0; i + 1 < x.size(); ++i) CHECK_EQ(y[i], x[i] < 0 ? -1.f : 1.f);
    CHECK_EQ(y.back(), 7.f);
  }
  graph.SetShape(input, Shape{2, {3, 65}});  // three words
  CHECK(!graph.Resize(1).ok());
}

}  // namespace
}  // namespace tflbnn
