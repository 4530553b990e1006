#include "core/epilogue/epilogue.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/aligned_buffer.h"

namespace tflbnn {

void Epilogue::Add(StageKind kind, const std::vector<float>& values) {
  Item item(kind);
  item.values = values;
  item.values.resize(lanes(), 0.f);
  items_.push_back(std::move(item));
}

void Epilogue::Clamp(float low, float high) {
  Item item(StageKind::kClamp);
  item.low = low;
  item.high = high;
  items_.push_back(std::move(item));
}

void Epilogue::Gate(int input) {
  Item item(StageKind::kGate);
  item.input = input;
  items_.push_back(std::move(item));
}

void Epilogue::AddTensor(int input) {
  Item item(StageKind::kAddTensor);
  item.input = input;
  items_.push_back(std::move(item));
}

void Epilogue::Store(int output, int total, int first) {
  Item item(StageKind::kStore);
  item.output = output;
  item.total = total;
  item.first = first;
  items_.push_back(std::move(item));
}

void Epilogue::Bits(int output, int total, int first, const std::vector<float>& threshold,
                    const std::vector<bool>& negate) {
  Item item(StageKind::kBits);
  item.output = output;
  item.total = total;
  item.first = first;
  if (!threshold.empty()) {
    item.values = threshold;
    item.values.resize(lanes(), -std::numeric_limits<float>::infinity());
  }
  item.negated = std::find(negate.begin(), negate.end(), true) != negate.end();
  if (item.negated) {
    item.sign.assign(lanes(), 0);
    for (size_t i = 0; i < negate.size(); ++i) item.sign[i] = negate[i] ? INT32_MIN : 0;
  }
  items_.push_back(std::move(item));
}

Status Epilogue::Resize(const Shape& result, const Shape* inputs, Shape* outputs) {
  if (result.last() != channels_) {
    return Status::Error("%d channels were expected. Received: %s", channels_,
                         result.ToString().c_str());
  }
  const size_t images = result.rank > 1 ? static_cast<size_t>(result.dims[0]) : 1;
  image_pixels_ = images ? result.Rows() / images : 0;
  for (Item& item : items_) {
    if (item.output >= 0) {
      outputs[item.output] = result;
      outputs[item.output].dims[result.rank - 1] = item.total;
    }
    if (item.kind == StageKind::kAddTensor && !(inputs[item.input] == result)) {
      return Status::Error("tensors of the shapes %s and %s cannot be added",
                           result.ToString().c_str(), inputs[item.input].ToString().c_str());
    }
    if (item.kind == StageKind::kGate) {
      const Shape& vector = inputs[item.input];
      // Rows of a tensor of lower rank would belong to columns of the image, not to images.
      const bool each = vector.rank == result.rank && vector.dims[0] == result.dims[0];
      item.vectors = vector.rank < 1 ? 0 : vector.Rows();
      if (vector.last() != channels_ || item.vectors != (each ? images : 1)) {
        return Status::Error("an image %s cannot be multiplied by a tensor of shape %s",
                             result.ToString().c_str(), vector.ToString().c_str());
      }
    }
  }
  return Status::Ok();
}

int Epilogue::OverwrittenInput(int output) const {
  int input = -1;
  bool stored = false;
  for (const Item& item : items_) {
    if (item.kind == StageKind::kAddTensor) {
      if (stored && item.input == input) return -1;
      if (!stored) input = item.input;
    }
    if (item.output != output) continue;
    if (stored || item.kind != StageKind::kStore || item.total != channels_) return -1;
    stored = true;
  }
  return stored ? input : -1;
}

size_t Epilogue::ScratchBytes() const {
  size_t bytes = AlignUp(items_.size() * sizeof(Stage));
  for (const Item& item : items_) {
    if (item.kind == StageKind::kGate) bytes += AlignUp(item.vectors * lanes() * sizeof(float));
  }
  return bytes;
}

const Stage* Epilogue::Bind(const Operation::Arguments& arguments, void* scratch) const {
  auto* const stages = static_cast<Stage*>(scratch);
  auto* room = static_cast<uint8_t*>(scratch) + AlignUp(items_.size() * sizeof(Stage));
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    Stage& stage = stages[i];
    stage = {item.kind,
             item.values.empty() ? nullptr : item.values.data(),
             item.negated ? item.sign.data() : nullptr,
             nullptr,
             item.total,
             0,
             item.low,
             item.high};
    if (item.kind == StageKind::kAddTensor) {
      stage.values = static_cast<const float*>(arguments.inputs[item.input]);
      stage.pitch = channels_;
    } else if (item.kind == StageKind::kGate) {
      // The kernels read whole vectors, which a tensor need not fill.
      auto* values = reinterpret_cast<float*>(room);
      stage.values = values;
      const auto* input = static_cast<const float*>(arguments.inputs[item.input]);
      const size_t count = static_cast<size_t>(channels_);
      for (size_t i = 0; i < item.vectors; ++i, input += count, values += lanes()) {
        memcpy(values, input, count * sizeof(float));
        std::fill(values + count, values + lanes(), 0.f);
      }
      if (item.vectors == 1) {
        stage.kind = StageKind::kMultiply;  // spares a division for each pixel
      } else {
        stage.pitch = static_cast<ptrdiff_t>(image_pixels_);
        stage.stride = static_cast<ptrdiff_t>(lanes());
      }
      room += AlignUp(item.vectors * lanes() * sizeof(float));
    } else if (item.output >= 0) {
      // Floats and words alike are four bytes.
      stage.output = static_cast<uint32_t*>(arguments.outputs[item.output]) + item.first;
    }
  }
  return stages;
}

void ApplyStages(const Stage* stages, int count, ptrdiff_t pixel, int channel, float y) {
  for (const Stage* stage = stages; stage != stages + count; ++stage) {
    switch (stage->kind) {
      case StageKind::kMultiply:
        y = y * stage->values[channel];
        break;
      case StageKind::kGate:
        y = y * stage->values[pixel / stage->pitch * stage->stride + channel];
        break;
      case StageKind::kAdd:
        y = y + stage->values[channel];
        break;
      case StageKind::kPRelu:
        y = y < 0 ? y * stage->values[channel] : y;
        break;
      case StageKind::kClamp:
        y = y > stage->low ? y : stage->low;
        y = y < stage->high ? y : stage->high;
        break;
      case StageKind::kAddTensor:
        y = y + stage->values[pixel * stage->pitch + channel];
        break;
      case StageKind::kStore:
        static_cast<float*>(stage->output)[pixel * stage->pitch + channel] = y;
        break;
      case StageKind::kBits: {
        uint32_t& word = static_cast<uint32_t*>(stage->output)[pixel * stage->pitch + channel / 32];
        if (channel % 32 == 0) word = 0;
        const bool negate = stage->sign && stage->sign[channel];
        const float threshold = stage->values ? stage->values[channel] : 0.f;
        word |= static_cast<uint32_t>((negate ? -y : y) < threshold) << (channel % 32);
        break;
      }
    }
  }
}

std::string Epilogue::Names() const {
  std::string names;
  for (const Item& item : items_) {
    if (!names.empty()) names += ",";
    switch (item.kind) {
      case StageKind::kMultiply:
        names += "multiply";
        break;
      case StageKind::kGate:
        names += "gate";
        break;
      case StageKind::kAdd:
        names += "add";
        break;
      case StageKind::kPRelu:
        names += "prelu";
        break;
      case StageKind::kClamp:
        names += "clamp";
        break;
      case StageKind::kAddTensor:
        names += "add_tensor";
        break;
      case StageKind::kStore:
        names += "store";
        break;
      case StageKind::kBits:
        names += "bits";
        break;
    }
  }
  return names;
}

}  // namespace tflbnn
