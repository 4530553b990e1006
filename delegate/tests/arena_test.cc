#include "core/graph/arena.h"

#include "core/aligned_buffer.h"
#include "core/bconv2d/bconv2d.h"
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
  ThreadPool pool(2, testing::kShareEverything);
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

// A chain of sums needs one image of floats; where the first summand is wanted later, two.
TEST(SumsTakeOverTheirSummandsMemory) {
  testing::Random random(3);
  BConv2DParams params;
  params.padding = Padding::kSame;
  params.height.filter = params.width.filter = 3;
  params.channels_in = params.channels_out = 64;
  std::vector<uint32_t> filter(static_cast<size_t>(64 * params.taps() * 2));
  for (uint32_t& word : filter) word = random.Bits();
  const std::vector<float> ones(64, 1.f);
  const Shape bits{4, {1, 20, 20, 2}};
  const size_t image = 20 * 20 * 64 * sizeof(float);
  std::vector<float> first(20 * 20 * 64);
  for (const bool kept : {false, true}) {
    Graph graph;
    const int input = graph.AddValue(DataType::kBits, true);
    int sum = -1, oldest = -1;
    for (int layer = 0; layer < 4; ++layer) {
      std::unique_ptr<BConv2D> conv;
      CHECK(BConv2D::Create(params, {filter.data(), ones.data(), ones.data()}, BestIsa(), &conv)
                .ok());
      Epilogue epilogue(64);
      if (sum >= 0) epilogue.AddTensor(1);
      if (kept && layer == 3) epilogue.AddTensor(2);
      epilogue.Store(0, 64, 0);
      conv->SetEpilogue(std::move(epilogue));
      const int output = graph.AddValue(DataType::kFloat32, layer == 3);
      std::vector<int> inputs{input};
      if (sum >= 0) inputs.push_back(sum);
      if (kept && layer == 3) inputs.push_back(oldest);
      graph.AddOperation(std::move(conv), inputs, {output});
      if (layer == 0) oldest = output;
      sum = output;
    }
    graph.SetShape(input, bits);
    CHECK(graph.Resize(1).ok());
    CHECK(graph.arena_bytes() < (kept ? 3 : 2) * image);
    std::vector<uint32_t> x(20 * 20 * 2);
    std::vector<float> y(first.size());
    for (uint32_t& word : x) word = 0x12345678u;
    graph.Bind(input, x.data());
    graph.Bind(sum, y.data());
    AlignedBuffer arena;
    CHECK(arena.Allocate(graph.arena_bytes()));
    ThreadPool pool(1);
    CHECK(graph.Run(arena.data(), &pool).ok());
    // All four convolutions are the same one.
    if (!kept) first = y;
    for (size_t i = 0; i < y.size(); ++i) CHECK_EQ(y[i], kept ? first[i] + first[i] / 4 : first[i]);
  }
}

}  // namespace
}  // namespace tflbnn
