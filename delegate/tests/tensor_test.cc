#include "core/tensor.h"

#include "core/window.h"
#include "tests/testing.h"

namespace tflbnn {
namespace {

TEST(ByteSizeOfOrdinaryShapes) {
  size_t bytes = 0;
  CHECK(ByteSize(DataType::kFloat32, Shape{4, {2, 3, 5, 7}}, &bytes));
  CHECK_EQ(bytes, size_t{840});
  CHECK(ByteSize(DataType::kInt8, Shape{1, {33}}, &bytes));
  CHECK_EQ(bytes, size_t{33});
  CHECK(ByteSize(DataType::kBits, Shape{2, {0, 7}}, &bytes));
  CHECK_EQ(bytes, size_t{0});
}

TEST(ByteSizeRefusesWhatCannotBe) {
  size_t bytes = 0;
  CHECK(!ByteSize(DataType::kFloat32, Shape{2, {-1, 4}}, &bytes));
  CHECK(!ByteSize(DataType::kFloat32, Shape{2, {0, -4}}, &bytes));
  CHECK(!ByteSize(DataType::kFloat32, Shape{0, {}}, &bytes));
  CHECK(!ByteSize(DataType::kFloat32, Shape{4, {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX}},
                  &bytes));
  const auto rows = static_cast<int32_t>(kMaxTensorBytes >> 22);  // of 4 MiB
  CHECK(!ByteSize(DataType::kFloat32, Shape{2, {rows + 1, 1 << 20}}, &bytes));
  CHECK(ByteSize(DataType::kFloat32, Shape{2, {rows, 1 << 20}}, &bytes));
  CHECK_EQ(bytes, size_t{kMaxTensorBytes});
}

// TensorFlow's rule, tried out: the windows cover the input, and the padding is as even as
// possible.
TEST(WindowsAreWhereTensorFlowPutsThem) {
  for (int filter = 1; filter <= 4; ++filter) {
    for (int stride = 1; stride <= 3; ++stride) {
      for (int dilation = 1; dilation <= 3; ++dilation) {
        for (int input = 0; input <= 12; ++input) {
          const int extent = (filter - 1) * dilation + 1;
          WindowPlacement placement;
          CHECK(PlaceWindow({filter, stride, dilation}, Padding::kSame, input, &placement).ok());
          CHECK_EQ(placement.output, (input + stride - 1) / stride);
          const int total = std::max(0, (placement.output - 1) * stride + extent - input);
          if (input > 0) CHECK_EQ(placement.before, int64_t{total / 2});
          const bool placed =
              PlaceWindow({filter, stride, dilation}, Padding::kValid, input, &placement).ok();
          CHECK_EQ(placed, input >= extent);
          if (placed) CHECK_EQ(placement.output, (input - extent) / stride + 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tflbnn
