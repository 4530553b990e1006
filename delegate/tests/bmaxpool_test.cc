#include "core/bmaxpool/bmaxpool.h"

#include "tests/testing.h"

namespace tflbnn {
namespace {

TEST(PoolingAgreesWithTheReference) {
  testing::Random random(4);
  ThreadPool pool(2, testing::kShareEverything);
  for (int trial = 0; trial < testing::Trials(600); ++trial) {
    BMaxPool2DParams params;
    for (Window* window : {&params.height, &params.width}) {
      window->filter = random.Between(1, 4);
      window->stride = random.Between(1, 4);
    }
    params.padding = random.OneIn(2) ? Padding::kSame : Padding::kValid;
    const Shape in{
        4,
        {random.Between(0, 3), random.Between(1, 9), random.Between(1, 9), random.Between(1, 5)}};
    BMaxPool2D tested(params, Isa::kScalar), reference(params, Isa::kReference);
    Shape out, same;
    const bool fits = tested.Resize(&in, &out).ok();
    CHECK_EQ(fits, params.padding == Padding::kSame ||
                       (in.dims[1] >= params.height.filter && in.dims[2] >= params.width.filter));
    if (!fits) continue;
    CHECK(reference.Resize(&in, &same).ok() && same == out);
    testing::Guarded<uint32_t> x(in.Rows() * static_cast<size_t>(in.last()));
    testing::Guarded<uint32_t> got(out.Rows() * static_cast<size_t>(out.last())), want(got.size());
    for (size_t i = 0; i < x.size(); ++i) x[i] = random.Bits() | random.Bits();
    const void* inputs[] = {x.data()};
    void* outputs[] = {got.data()};
    tested.Run({inputs, outputs, nullptr, &pool});
    outputs[0] = want.data();
    reference.Run({inputs, outputs, nullptr, &pool});
    for (size_t i = 0; i < got.size(); ++i) CHECK_EQ(got[i], want[i]);
    CHECK(x.Intact() && got.Intact() && want.Intact());
  }
}

TEST(TheMaximumOfSignsIsMinusOneWhereAllAre) {
  BMaxPool2DParams params;
  params.height = params.width = {2, 2, 1};
  BMaxPool2D pooling(params, Isa::kReference);
  const Shape in{4, {1, 2, 2, 1}};
  Shape out;
  CHECK(pooling.Resize(&in, &out).ok());
  const uint32_t x[4] = {0b1011, 0b1001, 0b1101, 0b1111};
  uint32_t y = 0;
  const void* inputs[] = {x};
  ThreadPool pool(1);
  void* outputs[] = {&y};
  pooling.Run({inputs, outputs, nullptr, &pool});
  CHECK_EQ(y, 0b1001u);
}

TEST(PoolingRefusesNonsense) {
  BMaxPool2DParams params;
  params.height.stride = 0;
  CHECK(!BMaxPool2D::Validate(params).ok());
  params.height.stride = 1;
  params.width.filter = -1;
  CHECK(!BMaxPool2D::Validate(params).ok());
  params.width.filter = 1;
  CHECK(BMaxPool2D::Validate(params).ok());
  BMaxPool2D pooling(params, Isa::kScalar);
  Shape out;
  const Shape flat{2, {3, 3}}, empty{4, {1, 3, 3, 0}};
  CHECK(!pooling.Resize(&flat, &out).ok());
  CHECK(!pooling.Resize(&empty, &out).ok());
}

}  // namespace
}  // namespace tflbnn
