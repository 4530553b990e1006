#include "core/quantize/quantize.h"

#include <cmath>
#include <limits>

#include "core/quantize/affine_threshold.h"
#include "core/quantize/dispatch.h"
#include "tests/testing.h"

namespace tflbnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const std::vector<int> kChannels = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129};

template <class T, class Make>
void Compare(testing::Random& random, int channels, const Make& make, testing::Guarded<T>& x) {
  const Shape in{2, {static_cast<int32_t>(x.size()) / channels, channels}};
  ThreadPool pool(random.Between(1, 3), testing::kShareEverything);
  auto run = [&](Isa isa) {
    auto operation = make(isa);
    Shape out;
    CHECK(operation.Resize(&in, &out).ok());
    testing::Guarded<uint32_t> y(out.Rows() * static_cast<size_t>(out.last()));
    const void* inputs[] = {x.data()};
    void* outputs[] = {y.data()};
    operation.Run({inputs, outputs, nullptr, &pool});
    CHECK(x.Intact() && y.Intact());
    return std::vector<uint32_t>(y.data(), y.data() + y.size());
  };
  const auto want = run(Isa::kReference);
  for (const QuantizeEntry& entry : kQuantizeKernels) {
    if (CpuSupports(entry.isa) && run(entry.isa) != want)
      testing::Fail(__FILE__, channels, IsaName(entry.isa));
  }
}

TEST(SignsOfInt8) {
  testing::Random random(7);
  for (int trial = 0; trial < testing::Trials(100); ++trial) {
    for (const int channels : kChannels) {
      const int zero_point = random.Pick<int>({0, 3, -128, 127, -129, 128, 1000, -1000});
      testing::Guarded<int8_t> x(static_cast<size_t>(channels) * 3);
      for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int8_t>(random.Bits());
      Compare(random, channels, [&](Isa isa) { return Quantize(zero_point, isa); }, x);
    }
  }
}

TEST(AFixedExampleOfSigns) {
  const int8_t x[4] = {-1, 0, 1, -3};
  const Shape in{1, {4}};
  Quantize quantize(0, Isa::kReference);
  Shape out;
  CHECK(quantize.Resize(&in, &out).ok());
  CHECK(out == (Shape{1, {1}}));
  uint32_t bits = 0;
  const void* inputs[] = {x};
  ThreadPool pool(1);
  void* outputs[] = {&bits};
  quantize.Run({inputs, outputs, nullptr, &pool});
  CHECK_EQ(bits, 0b1001u);
}

TEST(DequantizeInvertsQuantize) {
  testing::Random random(8);
  ThreadPool pool(2, testing::kShareEverything);
  for (const int channels : kChannels) {
    const Shape in{2, {70, static_cast<int32_t>(WordsForChannels(channels))}};
    testing::Guarded<uint32_t> x(static_cast<size_t>(in.dims[0] * in.dims[1]));
    for (size_t i = 0; i < x.size(); ++i) x[i] = random.Bits();
    Shape out;
    Dequantize floats(DataType::kFloat32, 1, -1, channels),
        bytes(DataType::kInt8, 13, -7, channels);
    CHECK(floats.Resize(&in, &out).ok() && bytes.Resize(&in, &out).ok());
    testing::Guarded<float> y(70 * static_cast<size_t>(channels));
    testing::Guarded<int8_t> z(y.size());
    const void* inputs[] = {x.data()};
    void* outputs[] = {y.data()};
    floats.Run({inputs, outputs, nullptr, &pool});
    outputs[0] = z.data();
    bytes.Run({inputs, outputs, nullptr, &pool});
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t row = i / static_cast<size_t>(channels), c = i % static_cast<size_t>(channels);
      const bool bit = x[row * static_cast<size_t>(in.dims[1]) + c / 32] >> (c % 32) & 1;
      CHECK_EQ(y[i], bit ? -1.f : 1.f);
      CHECK_EQ(int{z[i]}, bit ? -7 : 13);
    }
    CHECK(y.Intact() && z.Intact());
  }
}

// The threshold is where the rounded expression changes its sign, not where the exact one does.
TEST(AffineThresholdIsExact) {
  testing::Random random(9);
  for (int trial = 0; trial < testing::Trials(20000); ++trial) {
    float m = random.Float(), a = random.Float();
    if (random.OneIn(4)) m *= random.Pick<float>({1e-30f, 1e30f, 1e-44f});
    if (random.OneIn(4)) a *= random.Pick<float>({1e-30f, 1e30f, 1e-44f});
    float threshold = kNan;
    bool negate = false;
    CHECK(AffineThreshold(m, a, &threshold, &negate));
    auto check = [&](float x) {
      volatile float product = x * m;  // rounded before the addition, whatever the compiler may do
      CHECK_EQ((negate ? -x : x) < threshold, product + a < 0);
    };
    for (const float x : {0.f, -0.f, 1e-45f, -1e-45f, 3e38f, -3e38f, kNan}) check(x);
    if (m != 0) check(kInfinity), check(-kInfinity);
    float up = negate ? -threshold : threshold, down = up;
    for (int step = 0; step < 4 && std::isfinite(up); ++step) {
      check(up);
      check(down);
      up = std::nextafter(up, 3e38f);
      down = std::nextafter(down, -3e38f);
    }
    for (int i = 0; i < 4; ++i) check(random.Float());
  }
}

TEST(AffineThresholdRefusesWhatIsNotFinite) {
  float threshold;
  bool negate;
  CHECK(!AffineThreshold(kNan, 1, &threshold, &negate));
  CHECK(!AffineThreshold(kInfinity, 1, &threshold, &negate));
  CHECK(!AffineThreshold(1, -kInfinity, &threshold, &negate));
  CHECK(!AffineThreshold(1, kNan, &threshold, &negate));
}

}  // namespace
}  // namespace tflbnn
