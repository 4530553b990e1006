// The stages of an operation, and the inputs and outputs that they use.
#pragma once

#include <string>
#include <vector>

#include "core/epilogue/stage.h"
#include "core/operation.h"

namespace tflbnn {

// y = fl(fl(y * multiplier) + addend), one a channel; either may be empty: nothing.
struct Affine {
  std::vector<float> multiplier, addend;
  bool empty() const { return multiplier.empty() && addend.empty(); }
};

class Epilogue {
 public:
  explicit Epilogue(int channels) : channels_(channels) {}

  // Vectors have one element a channel. `input` and `output` number those of the operation.
  void Multiply(const std::vector<float>& values) { Add(StageKind::kMultiply, values); }
  void Add(const std::vector<float>& values) { Add(StageKind::kAdd, values); }
  void PRelu(const std::vector<float>& values) { Add(StageKind::kPRelu, values); }
  void Clamp(float low, float high);
  void Gate(int input);       // one element a channel, one vector or one an image
  void AddTensor(int input);  // of the result's shape
  // Into channels [first, first + channels) of `total`.
  void Store(int output, int total, int first);
  // bit = (negate ? -y : y) < threshold, into the words from `first` of `total`. Empty vectors: y <
  // 0.
  void Bits(int output, int total, int first, const std::vector<float>& threshold,
            const std::vector<bool>& negate);

  int channels() const { return channels_; }
  // Checks the inputs, and gives the outputs, of a result of this shape.
  Status Resize(const Shape& result, const Shape* inputs, Shape* outputs);
  // Makes the list for one run in `scratch`, ScratchBytes() long.
  size_t ScratchBytes() const;
  const Stage* Bind(const Operation::Arguments& arguments, void* scratch) const;
  // The tensor added before `output` is stored, if it may be stored in its place (operation.h).
  int OverwrittenInput(int output) const;
  int size() const { return static_cast<int>(items_.size()); }
  // Of the stages, such as "multiply,add,bits".
  std::string Names() const;

 private:
  struct Item {
    explicit Item(StageKind k) : kind(k) {}
    StageKind kind;
    int input = -1, output = -1, total = 0, first = 0;
    bool negated = false;
    std::vector<float> values;
    std::vector<int32_t> sign;
    float low = 0, high = 0;
    size_t vectors = 1;  // of an input that multiplies
  };
  void Add(StageKind kind, const std::vector<float>& values);
  size_t lanes() const { return static_cast<size_t>(channels_) + 64; }

  int channels_;
  size_t image_pixels_ = 0;
  std::vector<Item> items_;
};

// The definition, and the judge of every kernel: one number through all stages. Channels of a pixel
// come in rising order.
void ApplyStages(const Stage* stages, int count, ptrdiff_t pixel, int channel, float y);

}  // namespace tflbnn
