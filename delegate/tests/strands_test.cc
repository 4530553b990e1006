#include "core/graph/strands.h"

#include <memory>

#include "core/aligned_buffer.h"
#include "core/elementwise/elementwise.h"
#include "core/graph/graph.h"
#include "tests/testing.h"

namespace tflbnn {
namespace {

struct Steps {
  std::vector<std::vector<int>> inputs, outputs;
  Strands Find() const {
    std::vector<StepValues> values;
    for (size_t i = 0; i < inputs.size(); ++i) values.push_back({&inputs[i], &outputs[i]});
    return FindStrands(values);
  }
};

TEST(MembersOfAnEnsembleAreStrands) {
  // Value 0 is the image, 1 what all share; two members of two steps; their votes.
  const Steps steps{{{0}, {1}, {1}, {2}, {3}, {4, 5}, {6}}, {{1}, {2}, {3}, {4}, {5}, {6}, {7}}};
  const Strands found = steps.Find();
  CHECK(found.before == (Strand{0}));
  CHECK_EQ(found.beside.size(), size_t{2});
  CHECK(found.beside[0] == (Strand{1, 3}));
  CHECK(found.beside[1] == (Strand{2, 4}));
  CHECK(found.after == (Strand{5, 6}));
}

TEST(WritersOfOneValueAreJoinedBehindIt) {
  const Steps steps{{{0}, {0}, {1}}, {{1}, {1}, {2}}};
  const Strands found = steps.Find();
  CHECK_EQ(found.beside.size(), size_t{2});
  CHECK(found.after == (Strand{2}));
}

TEST(BranchesWithinANetworkAreNoStrands) {
  // A shortcut around each of three steps.
  const Steps steps{{{0}, {0, 1}, {2}, {2, 3}, {4}, {4, 5}}, {{1}, {2}, {3}, {4}, {5}, {6}}};
  const Strands found = steps.Find();
  CHECK(found.beside.empty());
  CHECK_EQ(found.before.size(), size_t{6});
}

// Multiplies by a constant and adds another tensor or two.
std::unique_ptr<Operation> Stage(float factor, int summands) {
  Epilogue epilogue(8);
  epilogue.Multiply(std::vector<float>(8, factor));
  for (int i = 1; i <= summands; ++i) epilogue.AddTensor(i);
  epilogue.Store(0, 8, 0);
  return std::make_unique<Elementwise>(std::move(epilogue), Isa::kReference);
}

TEST(StrandsGiveWhatOneThreadGives) {
  constexpr int kMembers = 5, kDepth = 6;
  testing::Random random(11);
  for (int trial = 0; trial < testing::Trials(50); ++trial) {
    const int pixels = random.Between(1, 40);
    std::vector<float> x(static_cast<size_t>(pixels) * 8), want;
    for (float& v : x) v = random.Float();
    for (const int threads : {1, 2, 3, 5, 8}) {
      Graph graph;
      const int image = graph.AddValue(DataType::kFloat32, true),
                shared = graph.AddValue(DataType::kFloat32, false);
      graph.AddOperation(Stage(0.5f, 0), {image}, {shared});
      std::vector<int> last;
      // The members' operations take turns, as they may in a file.
      for (int member = 0; member < kMembers; ++member) last.push_back(shared);
      for (int depth = 0; depth < kDepth; ++depth) {
        for (int member = 0; member < kMembers; ++member) {
          const int output = graph.AddValue(DataType::kFloat32, false);
          int& before = last[static_cast<size_t>(member)];
          graph.AddOperation(Stage(1.f + 0.1f * static_cast<float>(member), 1), {before, shared},
                             {output});
          before = output;
        }
      }
      const int votes = graph.AddValue(DataType::kFloat32, true);
      graph.AddOperation(Stage(2.f, kMembers - 1), last, {votes});
      graph.SetShape(image, Shape{2, {pixels, 8}});
      CHECK_EQ(graph.Resize(threads).message(), "");
      AlignedBuffer arena;
      CHECK(arena.Allocate(graph.arena_bytes()));
      std::vector<float> y(x.size());
      graph.Bind(image, x.data());
      graph.Bind(votes, y.data());
      ThreadPool pool(threads, testing::kShareEverything);
      CHECK(graph.Run(arena.data(), &pool).ok());
      if (want.empty()) want = y;
      CHECK(y == want);
    }
  }
}

}  // namespace
}  // namespace tflbnn
