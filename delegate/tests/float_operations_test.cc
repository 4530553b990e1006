// What fusions put between binary convolutions, every kernel against the definition.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>

#include "core/averagepool/averagepool.h"
#include "core/conv2d/conv2d.h"
#include "core/elementwise/elementwise.h"
#include "core/maxblur/maxblur.h"
#include "core/maxpool/maxpool.h"
#include "tests/testing.h"

namespace tflbnn {
namespace {

std::vector<float> Floats(testing::Random& random, int count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = random.Float();
  return values;
}

// The bytes of all outputs. Each input and output lies between canaries.
using Make = std::function<std::unique_ptr<Operation>(Isa isa)>;
std::string Run(const Make& make, Isa isa, const std::vector<Shape>& shapes, size_t output_count,
                uint32_t seed, int threads) {
  const std::unique_ptr<Operation> operation = make(isa);
  std::vector<Shape> outputs(output_count);
  CHECK_EQ(operation->Resize(shapes.data(), outputs.data()).message(), "");
  testing::Random random(seed);
  std::vector<std::unique_ptr<testing::Guarded<float>>> in, out;
  std::vector<const void*> from;
  std::vector<void*> to;
  const auto count = [](const Shape& shape) {
    size_t bytes = 0;
    CHECK(ByteSize(DataType::kFloat32, shape, &bytes));
    return bytes / sizeof(float);
  };
  for (const Shape& shape : shapes) {
    in.push_back(std::make_unique<testing::Guarded<float>>(count(shape)));
    for (size_t i = 0; i < in.back()->size(); ++i) (*in.back())[i] = random.Float();
    from.push_back(in.back()->data());
  }
  for (const Shape& shape : outputs) {
    out.push_back(std::make_unique<testing::Guarded<float>>(count(shape)));
    if (out.back()->size()) memset(out.back()->data(), 0, 4 * out.back()->size());
    to.push_back(out.back()->data());
  }
  AlignedBuffer scratch;
  CHECK(scratch.Allocate(operation->ScratchBytes(threads)));
  ThreadPool pool(threads, testing::kShareEverything);
  operation->Run({from.data(), to.data(), scratch.data(), &pool});
  std::string bytes;
  for (const auto& values : out) {
    CHECK(values->Intact());
    // Which of two zeros is the greater one is nobody's business.
    for (size_t i = 0; i < values->size(); ++i) {
      if ((*values)[i] == 0) (*values)[i] = 0;
    }
    bytes.append(reinterpret_cast<const char*>(values->data()), 4 * values->size());
  }
  return bytes;
}

template <class Entries>
void Compare(const Entries& entries, const Make& make, const std::vector<Shape>& shapes,
             size_t outputs, testing::Random& random) {
  const uint32_t seed = random.Bits();
  const std::string want = Run(make, Isa::kReference, shapes, outputs, seed, 1);
  for (const auto& entry : entries) {
    if (!CpuSupports(entry.isa)) continue;
    if (Run(make, entry.isa, shapes, outputs, seed, random.Between(1, 3)) != want) {
      testing::Fail(__FILE__, __LINE__, std::string(IsaName(entry.isa)) + shapes[0].ToString());
    }
  }
}

int Channels(testing::Random& random) {
  return random.Pick<int>({1, 7, 31, 32, 33, 63, 64, 65, 96, 130});
}

TEST(StagesAgreeWithTheReference) {
  testing::Random random(20);
  for (int trial = 0; trial < testing::Trials(400) && !testing::Failed(); ++trial) {
    const int channels = Channels(random), words = static_cast<int>(WordsForChannels(channels));
    Shape rows{2, {random.Between(0, 150), channels}}, vector{2, {1, channels}};
    if (random.OneIn(2)) {
      const int images = random.Between(0, 4);
      rows = Shape{4, {images, random.Between(0, 8), random.Between(0, 8), channels}};
      vector = Shape{4, {random.OneIn(2) ? images : 1, 1, 1, channels}};
    }
    Epilogue epilogue(channels);
    size_t outputs = 0;
    for (int stage = random.Between(1, 8); stage > 0; --stage) {
      std::vector<bool> negate(static_cast<size_t>(channels));
      for (size_t i = 0; i < negate.size(); ++i) negate[i] = random.OneIn(2);
      switch (random.Between(0, 8)) {
        case 0:
          epilogue.Multiply(Floats(random, channels));
          break;
        case 1:
          epilogue.Add(Floats(random, channels));
          break;
        case 2:
          epilogue.PRelu(Floats(random, channels));
          break;
        case 3:
          epilogue.Clamp(0, random.OneIn(2) ? 6 : INFINITY);
          break;
        case 4:
          epilogue.AddTensor(1);
          break;
        case 5:
          epilogue.Gate(2);
          break;
        case 6:
          epilogue.Store(static_cast<int>(outputs++), channels + 3, random.Between(0, 3));
          break;
        case 7:
          epilogue.Bits(static_cast<int>(outputs++), words + 1, random.Between(0, 1), {}, {});
          break;
        default:
          epilogue.Bits(static_cast<int>(outputs++), words, 0, Floats(random, channels), negate);
      }
    }
    epilogue.Store(static_cast<int>(outputs++), channels, 0);
    Compare(
        kElementwiseKernels, [&](Isa isa) { return std::make_unique<Elementwise>(epilogue, isa); },
        {rows, rows, vector}, outputs, random);
  }
}

TEST(ImagesAreMultipliedByOneVectorOrOneEach) {
  Epilogue epilogue(8);
  epilogue.Gate(1);
  epilogue.Store(0, 8, 0);
  Elementwise operation(epilogue, Isa::kReference);
  const Shape image{4, {3, 3, 3, 8}};
  const auto accepts = [&](const Shape& vector) {
    const Shape inputs[] = {image, vector};
    Shape output;
    return operation.Resize(inputs, &output).ok();
  };
  CHECK(accepts(Shape{4, {3, 1, 1, 8}}));
  CHECK(accepts(Shape{4, {1, 1, 1, 8}}));
  CHECK(accepts(Shape{1, {8}}));
  CHECK(!accepts(Shape{2, {3, 8}}));  // a vector for each column
  CHECK(!accepts(Shape{4, {3, 3, 1, 8}}));
  CHECK(!accepts(Shape{4, {2, 1, 1, 8}}));
  CHECK(!accepts(Shape{4, {3, 1, 1, 7}}));
}

// Zeros of both signs, infinities and NaN against such thresholds: x < t, or -x < t.
TEST(SignsOfSpecialNumbers) {
  const float inf = INFINITY, values[] = {0.f, -0.f, inf, -inf, NAN, 1e-45f, -1e-45f, 1.f, -1.f};
  std::vector<Isa> isas = {Isa::kReference};
  for (const ElementwiseEntry& entry : kElementwiseKernels) {
    if (CpuSupports(entry.isa)) isas.push_back(entry.isa);
  }
  const std::vector<float> thresholds = {0.f, 1.f, -1.f, inf, -inf, 0.f, 1.f, -1.f, inf, -inf};
  const std::vector<bool> negate = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  const Shape in{2, {9, 10}};
  std::vector<float> x;
  for (const float v : values) x.insert(x.end(), 10, v);
  for (const Isa isa : isas) {
    Epilogue epilogue(10);
    epilogue.Bits(0, 2, 0, thresholds, negate);
    epilogue.Bits(0, 2, 1, {}, {});
    Elementwise operation(epilogue, isa);
    Shape out;
    CHECK(operation.Resize(&in, &out).ok() && out == (Shape{2, {9, 2}}));
    uint32_t bits[18] = {};
    AlignedBuffer scratch;
    CHECK(scratch.Allocate(operation.ScratchBytes(1)));
    const void* inputs[] = {x.data()};
    void* outputs[] = {bits};
    ThreadPool pool(1);
    operation.Run({inputs, outputs, scratch.data(), &pool});
    for (size_t i = 0; i < 9; ++i) {
      uint32_t want = 0;
      for (size_t c = 0; c < 10; ++c)
        want |= static_cast<uint32_t>((negate[c] ? -values[i] : values[i]) < thresholds[c]) << c;
      CHECK_EQ(bits[2 * i], want);
      CHECK_EQ(bits[2 * i + 1], values[i] < 0 ? 1023u : 0u);
    }
  }
}

TEST(MaxPoolingsAgreeWithTheReference) {
  testing::Random random(21);
  for (int trial = 0; trial < testing::Trials(300) && !testing::Failed(); ++trial) {
    MaxPool2DParams params;
    params.height = {random.Between(1, 3), random.Between(1, 3), 1};
    params.width = {random.Between(1, 3), random.Between(1, 3), 1};
    params.padding = random.OneIn(2) ? Padding::kSame : Padding::kValid;
    params.low = random.OneIn(2) ? 0 : -INFINITY;
    params.high = random.OneIn(2) ? 6 : INFINITY;
    Shape shape{4, {random.Between(0, 2), random.Between(3, 9), random.Between(3, 9), 0}};
    const int channels = shape.dims[3] = Channels(random);
    const int first = random.Between(0, 5), total = first + channels + random.Between(0, 5);
    Affine affine;
    if (random.OneIn(2)) affine.multiplier = Floats(random, channels);
    if (random.OneIn(2)) affine.addend = Floats(random, channels);
    const auto make = [&](Isa isa) {
      auto pool = std::make_unique<MaxPool2D>(params, channels, affine, isa);
      pool->Place(total, first);
      return pool;
    };
    Compare(kMaxPoolKernels, make, {shape}, 1, random);
  }
}

TEST(AveragesAgreeWithTheReference) {
  testing::Random random(26);
  for (int trial = 0; trial < testing::Trials(300) && !testing::Failed(); ++trial) {
    AveragePool2DParams params;
    params.whole = random.OneIn(2);
    params.keep_dims = random.OneIn(2);
    params.height = {random.Between(1, 3), random.Between(1, 4), 1};
    params.width = {random.Between(1, 3), random.Between(1, 4), 1};
    if (!params.whole && random.OneIn(2)) params.padding = Padding::kSame;
    Shape shape{4, {random.Between(0, 2), random.Between(3, 9), random.Between(3, 9), 0}};
    const int channels = shape.dims[3] = Channels(random);
    const int first = random.Between(0, 5), total = first + channels + random.Between(0, 5);
    Affine affine;
    if (random.OneIn(2)) affine.multiplier = Floats(random, channels);
    if (random.OneIn(2)) affine.addend = Floats(random, channels);
    const auto make = [&](Isa isa) {
      auto pool = std::make_unique<AveragePool2D>(params, channels, affine, isa);
      pool->Place(total, first);
      return pool;
    };
    Compare(kAveragePoolKernels, make, {shape}, 1, random);
  }
}

TEST(AMeanNeedsAPixel) {
  AveragePool2DParams params;
  params.whole = true;
  AveragePool2D mean(params, 8, {}, Isa::kReference);
  const Shape none{4, {1, 0, 3, 8}};
  Shape output;
  CHECK(!mean.Resize(&none, &output).ok());
}

TEST(DenseLayersAgreeWithTheReference) {
  testing::Random random(27);
  for (int trial = 0; trial < testing::Trials(200) && !testing::Failed(); ++trial) {
    Conv2DParams params;
    params.dense = true;
    params.channels_in = random.Between(1, 70);
    params.channels_out = Channels(random);
    const auto filter = Floats(random, params.channels_in * params.channels_out);
    const auto bias = Floats(random, params.channels_out);
    Compare(
        kConv2DKernels,
        [&](Isa isa) { return std::make_unique<Conv2D>(params, filter, bias, isa); },
        {Shape{2, {random.Between(0, 40), params.channels_in}}}, 1, random);
  }
}

TEST(ConvolutionsAgreeWithTheReference) {
  testing::Random random(23);
  for (int trial = 0; trial < testing::Trials(300) && !testing::Failed(); ++trial) {
    Conv2DParams params;
    params.height = {random.Between(1, 4), random.Between(1, 3), 1};
    params.width = {random.Between(1, 4), random.Between(1, 3), 1};
    if (random.OneIn(3)) params.height = params.width = Window();
    params.padding = random.OneIn(3) ? Padding::kValid : Padding::kSame;
    params.channels_in = random.Pick<int>({1, 2, 3, 5, 16, 33});
    params.channels_out = Channels(random);
    const auto filter = Floats(random, params.height.filter * params.width.filter *
                                           params.channels_in * params.channels_out);
    const auto bias = Floats(random, params.channels_out);
    const Shape shape{
        4, {random.Between(0, 3), random.Between(4, 9), random.Between(4, 40), params.channels_in}};
    Epilogue epilogue(params.channels_out);
    const int words = static_cast<int>(WordsForChannels(params.channels_out));
    epilogue.Clamp(0, random.OneIn(2) ? 6 : INFINITY);
    epilogue.Bits(0, words, 0, Floats(random, params.channels_out), {});
    epilogue.Store(1, params.channels_out, 0);
    Compare(
        kConv2DKernels,
        [&](Isa isa) {
          auto convolution = std::make_unique<Conv2D>(params, filter, bias, isa);
          convolution->SetEpilogue(epilogue);
          return convolution;
        },
        {shape}, 2, random);
  }
}

// The image is smaller than the filter, and all of a window may be padding.
TEST(ConvolutionsOfSmallImages) {
  testing::Random random(24);
  for (int trial = 0; trial < testing::Trials(100) && !testing::Failed(); ++trial) {
    Conv2DParams params;
    params.height = {random.Between(3, 9), random.Between(1, 16), 1};
    params.width = {random.Between(3, 9), random.Between(1, 16), 1};
    params.padding = Padding::kSame;
    params.channels_in = random.Between(1, 4);
    params.channels_out = Channels(random);
    const auto filter = Floats(random, params.height.filter * params.width.filter *
                                           params.channels_in * params.channels_out);
    const auto bias = Floats(random, params.channels_out);
    const Shape shape{4, {1, random.Between(1, 20), random.Between(1, 20), params.channels_in}};
    Compare(
        kConv2DKernels,
        [&](Isa isa) { return std::make_unique<Conv2D>(params, filter, bias, isa); }, {shape}, 1,
        random);
  }
}

TEST(BlurredMaxPoolingsAgreeWithTheReference) {
  testing::Random random(22);
  for (int trial = 0; trial < testing::Trials(300) && !testing::Failed(); ++trial) {
    MaxBlurParams params;
    params.pool_height = random.Between(1, 3);
    params.pool_width = random.OneIn(2) ? params.pool_height : random.Between(1, 3);
    if (random.OneIn(2)) params.pool_limits.low = 0;
    params.height = {random.Between(1, 4), random.Between(1, 3), 1};
    params.width = {random.OneIn(2) ? params.height.filter : random.Between(1, 4),
                    random.Between(1, 3), 1};
    params.padding = random.OneIn(3) ? Padding::kValid : Padding::kSame;
    if (random.OneIn(2)) params.limits.high = 6;
    params.channels = random.OneIn(4) ? 16 : Channels(random);
    auto filter = Floats(random, params.height.filter * params.width.filter * params.channels);
    // The scalar kernel, the last one, is for exact products.
    std::vector<MaxBlurEntry> kernels(std::begin(kMaxBlurKernels), std::end(kMaxBlurKernels));
    if (random.OneIn(2)) {
      kernels.pop_back();
    } else {
      for (float& weight : filter) weight = std::ldexp(1.f, random.Between(-4, 4));
    }
    const auto bias = Floats(random, params.channels);
    const Shape shape{
        4, {random.Between(0, 2), random.Between(6, 11), random.Between(6, 11), params.channels}};
    Compare(
        kernels, [&](Isa isa) { return std::make_unique<MaxBlur>(params, filter, bias, isa); },
        {shape}, 1, random);
  }
}

// Without a pooling, NaN is no number that a maximum could lose.
TEST(DepthwiseConvolutionsOfNaN) {
  testing::Random random(25);
  MaxBlurParams params;
  params.height = params.width = {2, 2, 1};
  params.channels = 33;
  const auto filter = Floats(random, 4 * 33), bias = Floats(random, 33);
  const Shape shape{4, {1, 5, 4, 33}};
  auto input = Floats(random, 5 * 4 * 33);
  for (size_t i = 0; i < input.size(); i += 5) input[i] = NAN;
  const auto run = [&](Isa isa) {
    MaxBlur depthwise(params, filter, bias, isa);
    Shape output;
    CHECK_EQ(depthwise.Resize(&shape, &output).message(), "");
    std::vector<float> values(static_cast<size_t>(output.Rows()) * 33);
    AlignedBuffer scratch;
    CHECK(scratch.Allocate(depthwise.ScratchBytes(1)));
    ThreadPool pool(1);
    const void* from[] = {input.data()};
    void* to[] = {values.data()};
    depthwise.Run({from, to, scratch.data(), &pool});
    return values;
  };
  const auto want = run(Isa::kReference);
  CHECK(std::count(want.begin(), want.end(), -INFINITY) > 0);  // what a clamp makes of NaN
  CHECK_EQ(std::count(want.begin(), want.end(), INFINITY), 0);
  for (const auto& entry : kMaxBlurKernels) {
    if (!CpuSupports(entry.isa) || entry.isa == Isa::kScalar) continue;
    const auto got = run(entry.isa);
    CHECK(!memcmp(got.data(), want.data(), 4 * want.size()));
  }
}

}  // namespace
}  // namespace tflbnn
