#include <cmath>
#include <functional>
#include <limits>

#include "core/aligned_buffer.h"
#include "core/bconv2d/bound.h"
#include "core/clock.h"
#include "core/graph/graph.h"
#include "core/graph/profile.h"
#include "core/graph/verifier.h"
#include "tests/testing.h"
#include "tflite/profiles.h"

namespace tflbnn {
namespace {

// Copies its input, then does something to the copy.
class Copy : public Operation {
 public:
  using Change = std::function<void(uint8_t*)>;
  explicit Copy(DataType type, Change change = nullptr, int rank = 2)
      : type_(type), change_(std::move(change)), rank_(rank) {}
  const char* name() const override { return "Copy"; }
  const char* kernel() const override { return "neon"; }
  int64_t binary_macs() const override { return 1000; }
  Status Resize(const Shape* inputs, Shape* output) override {
    *output = inputs[0];
    output->rank = rank_;
    if (!ByteSize(type_, inputs[0], &bytes_)) return Status::Error("too large");
    return Status::Ok();
  }
  void Run(const Arguments& arguments) const override {
    memcpy(arguments.outputs[0], arguments.inputs[0], bytes_);
    if (change_) change_(static_cast<uint8_t*>(arguments.outputs[0]));
  }

 private:
  const DataType type_;
  const Change change_;
  const int rank_;
  size_t bytes_ = 0;
};

template <class T>
Copy::Change Set(size_t index, T value) {
  return [=](uint8_t* data) { memcpy(data + index * sizeof(T), &value, sizeof(T)); };
}

// Two copies of 3 x 4 zeros, of which the second deviates by `got` and its reference by `want`.
std::string Verify(DataType type, const Copy::Change& got, const Copy::Change& want) {
  Graph graph;
  const int input = graph.AddValue(type, true), middle = graph.AddValue(type, false),
            output = graph.AddValue(type, true);
  graph.AddOperation(std::make_unique<Copy>(type), {input}, {middle});
  graph.AddOperation(std::make_unique<Copy>(type, got), {middle}, {output});
  graph.SetName(output, "logits");
  std::vector<std::unique_ptr<Operation>> references;
  references.push_back(std::make_unique<Copy>(type));
  references.push_back(std::make_unique<Copy>(type, want));
  graph.AddObserver(std::make_shared<Verifier>(std::move(references), "partition 7"));
  graph.SetShape(input, Shape{2, {3, 4}});
  ThreadPool pool(1);
  const Status resized = graph.Resize(pool.size());
  if (!resized.ok()) return resized.message();
  uint32_t in[12] = {}, out[12] = {};
  graph.Bind(input, in);
  graph.Bind(output, out);
  AlignedBuffer arena;
  if (!arena.Allocate(graph.arena_bytes())) return "no memory";
  return graph.Run(arena.data(), &pool).message();
}

TEST(VerificationFindsTheFirstDifference) {
  CHECK_EQ(Verify(DataType::kFloat32, nullptr, nullptr), "");
  CHECK_EQ(Verify(DataType::kFloat32, Set(6, 1.5f), Set(6, -2.f)),
           "verify: operation 1 of partition 7, Copy to 'logits': the float32 output [3,4] first "
           "differs at [1,2]: 1.5 by kernel neon, -2 by the reference");
  // One unit in the last place.
  CHECK(Verify(DataType::kFloat32, Set(11, 1.f), Set(11, std::nextafter(1.f, 2.f)))
            .find("[2,3]: 1 by kernel neon, 1.00000012 by") != std::string::npos);
  CHECK(Verify(DataType::kInt8, Set<int8_t>(5, -3), nullptr)
            .find("the int8 output [3,4] first differs at [1,1]: -3 by kernel neon, 0 by") !=
        std::string::npos);
  // Word 2 of row 1, bit 9: channel 73.
  CHECK(Verify(DataType::kBits, Set(6, 1u << 9), nullptr)
            .find("first differs at [1,73]: -1 by kernel neon, +1 by") != std::string::npos);
}

TEST(VerificationKnowsEqualNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_EQ(Verify(DataType::kFloat32, Set(3, nan), Set(3, -nan)), "");
  CHECK_EQ(Verify(DataType::kFloat32, Set(3, -0.f), Set(3, 0.f)), "");
  CHECK(Verify(DataType::kFloat32, Set(3, nan), nullptr) != "");
}

TEST(VerificationWantsTheSameGraph) {
  for (const bool other_shape : {false, true}) {
    Graph graph;
    const int input = graph.AddValue(DataType::kInt8, true),
              output = graph.AddValue(DataType::kInt8, false);
    graph.AddOperation(std::make_unique<Copy>(DataType::kInt8), {input}, {output});
    std::vector<std::unique_ptr<Operation>> references;
    if (other_shape) {
      references.push_back(std::make_unique<Copy>(DataType::kInt8, nullptr, 1));
    }
    graph.AddObserver(std::make_shared<Verifier>(std::move(references), "partition 0"));
    graph.SetShape(input, Shape{2, {3, 4}});
    const std::string message = graph.Resize(1).message();
    CHECK_EQ(message, other_shape ? "verify: operation 0 of partition 0, Copy gives the shape "
                                    "[3,4], the reference [3]"
                                  : "verify: partition 0 has 1 operations, and 0 with the "
                                    "reference kernels");
  }
}

TEST(ProfilesCountRuns) {
  Graph graph;
  const int input = graph.AddValue(DataType::kInt8, true),
            output = graph.AddValue(DataType::kInt8, false);
  graph.AddOperation(std::make_unique<Copy>(DataType::kInt8, nullptr, 1), {input}, {output});
  graph.SetName(input, "a \"name\"\n\xff\xc3\xa4\xed\xa0\x80");
  auto profile = std::make_shared<Profile>();
  graph.AddObserver(profile);
  Profiles profiles;
  profiles.Add(profiles.NextIndex(), profile);
  ThreadPool pool(1);
  for (int size : {5, 9}) {
    graph.SetShape(input, Shape{1, {size}});
    CHECK(graph.Resize(1).ok());
    CHECK_EQ(profile->Read()[0].runs, 0);
    CHECK_EQ(profile->Read()[0].median_ms, 0.);
    CHECK(profile->Clocks().empty());
    uint8_t in[9] = {};
    graph.Bind(input, in);
    const int runs = static_cast<int>(Profile::kSamples) + size;
    AlignedBuffer arena;
    CHECK(arena.Allocate(graph.arena_bytes()));
    for (int i = 0; i < runs; ++i) CHECK(graph.Run(arena.data(), &pool).ok());
    const std::vector<OperationProfile> read = profile->Read();
    CHECK_EQ(read.size(), size_t{1});
    CHECK_EQ(read[0].runs, runs);
    CHECK_EQ(read[0].binary_macs, 1000);
    CHECK_EQ(read[0].inputs[0].shape.ToString(), "[" + std::to_string(size) + "]");
    // Behind every second operation, as there is but one.
    CHECK_EQ(profile->Clocks().size(), static_cast<size_t>(runs + 1) / 2);
    CHECK(read[0].best_ms <= read[0].median_ms);
    CHECK(read[0].median_ms <= read[0].total_ms);
  }
  const std::string json = profiles.Json(2);
  CHECK(json.find("{\"threads\":2,\"clock_ghz\":") == 0);
  CHECK(json.find(
            "\"partition\":0,\"index\":0,\"op\":\"Copy\",\"stages\":\"\",\"kernel\":\"neon\"") !=
        std::string::npos);
  CHECK(json.find("\"a \\\"name\\\"\\u000a\\ufffd\xc3\xa4\\ufffd\\ufffd\\ufffd\"") !=
        std::string::npos);
  CHECK(json.find("\"runs\":137,") != std::string::npos);
  CHECK(json.find("\"bound_macs_per_cycle\":170.667") != std::string::npos);
}

TEST(ProfilesEndWithTheirGraphs) {
  Profiles profiles;
  auto profile = std::make_shared<Profile>();
  profiles.Add(0, profile);
  profile.reset();
  CHECK(profiles.Json(1).find("\"operations\":[]}") != std::string::npos);
}

TEST(TheClockTicks) {
  const double hertz = CyclesPerSecond(20);
#if defined(__x86_64__) || defined(__aarch64__)
  CHECK(hertz > 1e6);
#endif
  CHECK(hertz < 1e11);
  CHECK_EQ(BoundMacsPerCycle("reference"), 0.);
}

}  // namespace
}  // namespace tflbnn
