#include "core/bconv2d/bconv2d.h"

#include <cmath>

#include "core/bconv2d/dispatch.h"
#include "tests/testing.h"

namespace tflbnn {
namespace {

struct Case {
  BConv2DParams params;
  Shape input;
};

// A convolution and its data, for every kernel the processor runs.
class Trial {
 public:
  Trial(const Case& test, testing::Random& random)
      : case_(test),
        filter_(Count(case_.params.channels_out) * Count(case_.params.taps()) *
                Count(case_.params.words())),
        multiplier_(Count(case_.params.channels_out)),
        bias_(Count(case_.params.channels_out)),
        threshold_(Count(case_.params.channels_out)),
        input_(case_.input.Rows() * Count(case_.input.last())) {
    const BConv2DParams& p = case_.params;
    FillBits(random, p.channels_per_group(), p.words(), &filter_);
    FillBits(random, p.channels_in, case_.input.last(), &input_);
    const int k = static_cast<int>(p.depth());
    for (size_t i = 0; i < threshold_.size(); ++i) {
      multiplier_[i] = random.Float();
      bias_[i] = random.Float() * 10;
      threshold_[i] = random.OneIn(8) ? random.Pick<int32_t>({INT32_MIN, INT32_MAX, -1, 0, k})
                                      : random.Between(0, k);
    }
  }

  std::vector<uint8_t> Run(Isa isa, int threads) {
    std::unique_ptr<BConv2D> conv;
    const Status status = BConv2D::Create(
        case_.params, {filter_.data(), multiplier_.data(), bias_.data(), threshold_.data()}, isa,
        &conv);
    CHECK_EQ(status.message(), "");
    if (!status.ok()) return {};
    Shape out;
    CHECK_EQ(conv->Resize(&case_.input, &out).message(), "");
    size_t bytes = 0;
    CHECK(ByteSize(case_.params.output, out, &bytes));
    testing::Guarded<uint32_t> y((bytes + 3) / 4);
    ThreadPool pool(threads, testing::kShareEverything);
    AlignedBuffer scratch;
    CHECK(scratch.Allocate(conv->ScratchBytes(pool.size())));
    const void* inputs[] = {input_.data()};
    void* outputs[] = {y.data()};
    conv->Run({inputs, outputs, scratch.data(), &pool});
    CHECK(y.Intact() && input_.Intact());
    const auto* begin = reinterpret_cast<const uint8_t*>(y.data());
    return std::vector<uint8_t>(begin, begin + bytes);
  }

 private:
  static size_t Count(int n) { return static_cast<size_t>(n); }
  // Random rows of `channels` signs; bits past the last channel are zero.
  static void FillBits(testing::Random& random, int channels, int words,
                       testing::Guarded<uint32_t>* bits) {
    const uint32_t last = channels % 32 ? (1u << (channels % 32)) - 1 : ~0u;
    for (size_t i = 0; i < bits->size(); ++i) {
      (*bits)[i] = random.Bits() & ((i + 1) % Count(words) ? ~0u : last);
    }
  }

  const Case& case_;
  testing::Guarded<uint32_t> filter_;
  testing::Guarded<float> multiplier_, bias_;
  testing::Guarded<int32_t> threshold_;
  testing::Guarded<uint32_t> input_;
};

std::string Describe(const Case& test) {
  const BConv2DParams& p = test.params;
  char text[400];
  snprintf(text, sizeof(text),
           "%s %d -> %d channels, %d groups, filter %dx%d stride %dx%d dilation %dx%d, %s%s, "
           "activation %d, to %s",
           test.input.ToString().c_str(), p.channels_in, p.channels_out, p.groups, p.height.filter,
           p.width.filter, p.height.stride, p.width.stride, p.height.dilation, p.width.dilation,
           p.padding == Padding::kSame ? "SAME" : "VALID", p.zero_padding ? " zero" : "",
           static_cast<int>(p.activation), DataTypeName(p.output));
  return text;
}

void Compare(const Case& test, testing::Random& random) {
  Trial trial(test, random);
  const auto want = trial.Run(Isa::kReference, 1);
  for (const BConv2DEntry& entry : kBConv2DKernels) {
    if (!CpuSupports(entry.isa)) continue;
    if (trial.Run(entry.isa, random.Between(1, 3)) != want) {
      testing::Fail(__FILE__, __LINE__, std::string(IsaName(entry.isa)) + ": " + Describe(test));
    }
  }
}

Case RandomCase(testing::Random& random) {
  Case test;
  BConv2DParams& p = test.params;
  for (Window* window : {&p.height, &p.width}) {
    window->filter = random.Between(1, 4);
    window->stride = random.Between(1, 3);
    window->dilation = random.OneIn(3) ? random.Between(1, 3) : 1;
  }
  p.padding = random.OneIn(3) ? Padding::kValid : Padding::kSame;
  p.zero_padding = p.padding == Padding::kSame && random.OneIn(2);
  p.groups = random.OneIn(4) ? random.Between(2, 4) : 1;
  p.channels_in = p.groups > 1 ? 32 * p.groups * random.Between(1, 3) : random.Between(1, 200);
  p.channels_out = p.groups * random.Pick<int>({1, 2, 5, 8, 16, 31, 32, 33, 40, 64, 65, 100});
  p.activation = static_cast<Activation>(random.Between(0, 3));
  p.output = random.Pick<DataType>({DataType::kFloat32, DataType::kBits, DataType::kInt8});
  p.output_scale = .37f;
  p.output_zero_point = random.Between(-20, 20);
  auto extent = [&](const Window& window) {
    const int least = p.padding == Padding::kValid ? (window.filter - 1) * window.dilation + 1 : 1;
    return least + random.Between(0, 9);
  };
  test.input = Shape{4,
                     {random.Between(0, 2), extent(p.height), extent(p.width),
                      static_cast<int32_t>(WordsForChannels(p.channels_in))}};
  return test;
}

TEST(RandomConvolutionsAgreeWithTheReference) {
  testing::Random random(10);
  for (int trial = 0; trial < testing::Trials(5000) && !testing::Failed(); ++trial)
    Compare(RandomCase(random), random);
}

// Around the tiles and lanes of every kernel.
TEST(ConvolutionsAroundTheTiles) {
  testing::Random random(11);
  Case test;
  test.params.padding = Padding::kSame;
  test.params.height.filter = test.params.width.filter = 3;
  for (const BConv2DEntry& entry : kBConv2DKernels) {
    const int tile = entry.kernel().tile_pixels;
    for (const int pixels :
         {1, tile - 1, tile, tile + 1, 2 * tile + 1, kMaxTilesPerBatch * tile + 1}) {
      for (const int channels : {1, 31, 32, 33, 63, 64, 65, 96, 129}) {
        test.params.channels_in = random.Pick<int>({1, 31, 32, 33, 64, 65});
        test.params.channels_out = channels;
        test.params.output = random.Pick<DataType>({DataType::kFloat32, DataType::kBits});
        test.input = Shape{4,
                           {1, 1, std::max(1, pixels),
                            static_cast<int32_t>(WordsForChannels(test.params.channels_in))}};
        Compare(test, random);
      }
    }
  }
}

// Where 16-bit counts end: K = 65,535 and 65,536 products, and beyond, with counts that reach K.
TEST(LongSums) {
  testing::Random random(12);
  for (const int channels : {65504, 65535, 65536, 65537, 70000, 131072}) {
    for (const DataType output : {DataType::kFloat32, DataType::kBits}) {
      Case test;
      test.params.channels_in = channels;
      test.params.channels_out = 33;
      test.params.output = output;
      test.input = Shape{4, {1, 1, 2, static_cast<int32_t>(WordsForChannels(channels))}};
      Compare(test, random);
    }
    // Inputs of -1 and filters of +1: every product is -1.
    BConv2DParams params;
    params.channels_in = channels;
    params.channels_out = 1;
    const Shape in{4, {1, 1, 1, static_cast<int32_t>(WordsForChannels(channels))}};
    std::vector<uint32_t> x(static_cast<size_t>(in.last()), ~0u), filter(x.size(), 0);
    if (channels % 32) x.back() = (1u << (channels % 32)) - 1;
    const float one = 1, zero = 0;
    for (const BConv2DEntry& entry : kBConv2DKernels) {
      if (!CpuSupports(entry.isa)) continue;
      std::unique_ptr<BConv2D> conv;
      CHECK(BConv2D::Create(params, {filter.data(), &one, &zero, nullptr}, entry.isa, &conv).ok());
      Shape out;
      CHECK(conv->Resize(&in, &out).ok());
      AlignedBuffer scratch;
      CHECK(scratch.Allocate(conv->ScratchBytes(1)));
      ThreadPool pool(1);
      const void* inputs[] = {x.data()};
      float y = 0;
      void* outputs[] = {&y};
      conv->Run({inputs, outputs, scratch.data(), &pool});
      CHECK_EQ(y, static_cast<float>(-channels));
    }
  }
}

TEST(FiltersLargerThanTheImage) {
  testing::Random random(13);
  for (int trial = 0; trial < testing::Trials(200); ++trial) {
    Case test;
    BConv2DParams& p = test.params;
    p.height = {random.Between(3, 9), random.Between(1, 12), random.Between(1, 50)};
    p.width = {random.Between(3, 9), random.Between(1, 12), random.Between(1, 50)};
    p.padding = Padding::kSame;
    p.zero_padding = random.OneIn(2);
    p.channels_in = random.Between(1, 70);
    p.channels_out = random.Between(1, 40);
    p.output = random.OneIn(2) ? DataType::kFloat32 : DataType::kBits;
    test.input = Shape{4,
                       {1, random.Between(1, 4), random.Between(1, 4),
                        static_cast<int32_t>(WordsForChannels(p.channels_in))}};
    Compare(test, random);
  }
}

TEST(DilationsThatOverflow32BitsAreNoTrouble) {
  testing::Random random(14);
  Case test;
  test.params.height = test.params.width = {3, 1, INT32_MAX};
  test.params.padding = Padding::kSame;
  test.params.zero_padding = true;
  test.params.channels_in = test.params.channels_out = 40;
  test.input = Shape{4, {1, 5, 5, 2}};
  Compare(test, random);
}

// The definition, in numbers: signs from bits, zeros or ones around, sums in integers.
TEST(TheReferenceIsASumOfProductsOfSigns) {
  testing::Random random(15);
  for (int trial = 0; trial < testing::Trials(100); ++trial) {
    const int c = random.Between(1, 40), size = random.Between(1, 5);
    BConv2DParams p;
    p.height.filter = p.width.filter = 3;
    p.padding = Padding::kSame;
    p.zero_padding = random.OneIn(2);
    p.channels_in = c;
    p.channels_out = 1;
    std::vector<uint32_t> x(static_cast<size_t>(size * size) * static_cast<size_t>(p.words())),
        w(9 * static_cast<size_t>(p.words()));
    auto sign = [&](const std::vector<uint32_t>& bits, int row, int channel) {
      const uint32_t word = bits[static_cast<size_t>(row * p.words() + channel / 32)];
      return word >> (channel % 32) & 1 ? -1 : 1;
    };
    for (auto* bits : {&x, &w}) {
      for (size_t i = 0; i < bits->size(); ++i) {
        const bool last = (i + 1) % static_cast<size_t>(p.words()) == 0;
        (*bits)[i] = random.Bits() & (last && c % 32 ? (1u << (c % 32)) - 1 : ~0u);
      }
    }
    const float m = .25f, b = -3;
    std::unique_ptr<BConv2D> conv;
    CHECK(BConv2D::Create(p, {w.data(), &m, &b, nullptr}, Isa::kReference, &conv).ok());
    const Shape in{4, {1, size, size, p.words()}};
    Shape out;
    CHECK(conv->Resize(&in, &out).ok());
    std::vector<float> y(static_cast<size_t>(size * size));
    const void* inputs[] = {x.data()};
    ThreadPool pool(1);
    void* outputs[] = {y.data()};
    AlignedBuffer scratch;
    CHECK(scratch.Allocate(conv->ScratchBytes(1)));
    conv->Run({inputs, outputs, scratch.data(), &pool});
    for (int oy = 0; oy < size; ++oy) {
      for (int ox = 0; ox < size; ++ox) {
        int sum = 0;
        for (int tap = 0; tap < 9; ++tap) {
          const int iy = oy + tap / 3 - 1, ix = ox + tap % 3 - 1;
          const bool inside = iy >= 0 && iy < size && ix >= 0 && ix < size;
          for (int channel = 0; channel < c; ++channel) {
            const int value = inside ? sign(x, iy * size + ix, channel) : p.zero_padding ? 0 : 1;
            sum += value * sign(w, tap, channel);
          }
        }
        CHECK_EQ(y[static_cast<size_t>(oy * size + ox)], static_cast<float>(sum) * m + b);
      }
    }
  }
}

TEST(ConvolutionsRefuseNonsense) {
  auto valid = [](auto change) {
    BConv2DParams params;
    params.channels_in = 64;
    params.channels_out = 8;
    change(params);
    return BConv2D::Validate(params).ok();
  };
  CHECK(valid([](BConv2DParams&) {}));
  CHECK(!valid([](BConv2DParams& p) { p.height.stride = 0; }));
  CHECK(!valid([](BConv2DParams& p) { p.width.dilation = -1; }));
  CHECK(!valid([](BConv2DParams& p) { p.height.filter = 0; }));
  CHECK(!valid([](BConv2DParams& p) { p.channels_in = 0; }));
  CHECK(!valid([](BConv2DParams& p) { p.channels_out = -8; }));
  CHECK(!valid([](BConv2DParams& p) { p.groups = 3; }));
  CHECK(!valid([](BConv2DParams& p) { p.groups = 4; }));  // 16 channels a group
  CHECK(valid([](BConv2DParams& p) { p.groups = 2; }));
  CHECK(!valid([](BConv2DParams& p) { p.height.filter = p.width.filter = 60000; }));
  CHECK(!valid([](BConv2DParams& p) { p.channels_in = INT32_MAX; }));
  CHECK(!valid([](BConv2DParams& p) { p.output = DataType::kInt8, p.output_scale = 0; }));
  CHECK(!valid([](BConv2DParams& p) { p.output = DataType::kInt8, p.output_scale = NAN; }));
}

// Their tables would fill gigabytes before anybody asked for memory for the image.
TEST(ConvolutionsRefuseImagesOfBillionsOfRows) {
  BConv2DParams params;
  params.padding = Padding::kSame;
  params.channels_in = params.channels_out = 1;
  const uint32_t filter = 0;
  const float one = 1;
  std::unique_ptr<BConv2D> conv;
  CHECK(BConv2D::Create(params, {&filter, &one, &one, nullptr}, BestIsa(), &conv).ok());
  Shape out;
  const Shape high{4, {1, INT32_MAX, 1, 1}}, wide{4, {1, 1, 1 << 28, 1}};
  CHECK(!conv->Resize(&high, &out).ok());
  CHECK(!conv->Resize(&wide, &out).ok());
}

TEST(ConvolutionsRefuseShapesThatDoNotFit) {
  BConv2DParams params;
  params.channels_in = 40;
  params.channels_out = 1;
  params.height.filter = params.width.filter = 3;
  const std::vector<uint32_t> filter(18, 0);
  const float one = 1;
  std::unique_ptr<BConv2D> conv;
  CHECK(BConv2D::Create(params, {filter.data(), &one, &one, nullptr}, BestIsa(), &conv).ok());
  Shape out;
  const Shape good{4, {1, 3, 3, 2}}, words{4, {1, 3, 3, 1}}, rank{3, {3, 3, 2}},
      small{4, {1, 2, 3, 2}};
  CHECK(conv->Resize(&good, &out).ok());
  CHECK(!conv->Resize(&words, &out).ok());
  CHECK(!conv->Resize(&rank, &out).ok());
  CHECK_EQ(conv->Resize(&small, &out).message(),
           "LceBconv2d: VALID padding needs an input of at least 3 elements along each axis of the "
           "window. Received: 2");
}

}  // namespace
}  // namespace tflbnn
