// The constants of a binary convolution, in the order in which the kernels read them.
#include <algorithm>
#include <climits>
#include <cstring>

#include "core/bconv2d/bconv2d.h"

namespace tflbnn {
namespace {

template <class T>
T At(const void* array, size_t index) {
  T value;
  memcpy(&value, static_cast<const uint8_t*>(array) + index * sizeof(T), sizeof(T));
  return value;
}

Status Copy(const void* from, size_t bytes, AlignedBuffer* to) {
  if (!from) return Status::Ok();
  if (!to->Allocate(bytes)) return Status::Error("no memory for %zu bytes of constants", bytes);
  memcpy(to->data(), from, bytes);
  return Status::Ok();
}

}  // namespace

Status BConv2D::CopyConstants(const BConv2DConstants& constants) {
  const size_t channels = static_cast<size_t>(params_.channels_out);
  const size_t words =
      channels * static_cast<size_t>(params_.taps()) * static_cast<size_t>(params_.words());
  TFLBNN_RETURN_IF_ERROR(Copy(constants.filter, 4 * words, &filter_));
  TFLBNN_RETURN_IF_ERROR(Copy(constants.multiplier, 4 * channels, &multiplier_));
  TFLBNN_RETURN_IF_ERROR(Copy(constants.bias, 4 * channels, &bias_));
  return Copy(constants.threshold, 4 * channels, &threshold_);
}

Status BConv2D::PackWeights(const void* filter) {
  const int channels = params_.channels_out / params_.groups, words = params_.words();
  const size_t taps = static_cast<size_t>(params_.taps()),
               depth = taps * static_cast<size_t>(words);
  for (int group = 0; group < params_.groups; ++group) {
    for (int channel = 0; channel < channels; channel += kBlockChannels) {
      blocks_.push_back({group * channels + channel, std::min(kBlockChannels, channels - channel),
                         group * words});
    }
  }
  const size_t block_bytes = depth * kernel_->word_bytes;
  const bool fits = blocks_.size() <= kMaxTensorBytes / block_bytes;
  if (!fits || !weights_.Allocate(blocks_.size() * block_bytes + kWeightsReadAhead)) {
    return Status::Error("no memory for the packed weights of %d filters", params_.channels_out);
  }
  for (size_t block = 0; block < blocks_.size(); ++block) {
    uint8_t* packed = weights_.data() + block * block_bytes;
    for (size_t word = 0; word < depth; ++word, packed += kernel_->word_bytes) {
      uint32_t lanes[kBlockChannels] = {};
      const bool both =
          kernel_->input == BConv2DInput::kPairs && word % static_cast<size_t>(words) % 2 == 1;
      for (int lane = 0; lane < blocks_[block].lanes; ++lane) {
        const size_t at = static_cast<size_t>(blocks_[block].channel + lane) * depth + word;
        lanes[lane] = At<uint32_t>(filter, at) ^ (both ? At<uint32_t>(filter, at - 1) : 0);
      }
      kernel_->pack(packed, lanes);
    }
  }
  if (params_.zero_padding && params_.padding == Padding::kSame) {
    tap_counts_.assign(static_cast<size_t>(params_.channels_out) * taps, 0);
    for (size_t i = 0; i < tap_counts_.size() * static_cast<size_t>(words); ++i) {
      tap_counts_[i / static_cast<size_t>(words)] += __builtin_popcount(At<uint32_t>(filter, i));
    }
  }
  job_.weights = weights_.data();
  job_.block_bytes = block_bytes;
  job_.blocks = blocks_.data();
  job_.block_count = static_cast<int>(blocks_.size());
  return Status::Ok();
}

void BConv2D::PackTransforms(const BConv2DConstants& constants) {
  const size_t lanes = blocks_.size() * kBlockChannels;
  const bool bits = params_.output == DataType::kBits;
  if (bits) {
    thresholds_.assign(lanes, INT32_MAX);
  } else {
    multipliers_.assign(lanes, 0);
    biases_.assign(lanes, 0);
  }
  for (size_t block = 0; block < blocks_.size(); ++block) {
    for (int lane = 0; lane < blocks_[block].lanes; ++lane) {
      const size_t channel = static_cast<size_t>(blocks_[block].channel + lane);
      const size_t at = block * kBlockChannels + static_cast<size_t>(lane);
      if (bits) {
        // Any value, but counts lie within 0 and 2^29, so clamping before doubling changes nothing.
        thresholds_[at] =
            2 * std::max(-1, std::min(At<int32_t>(constants.threshold, channel), 1 << 29));
      } else {
        const BConv2DTransform transform = MakeTransform(
            params_, At<float>(constants.multiplier, channel), At<float>(constants.bias, channel));
        multipliers_[at] = transform.multiplier;
        biases_[at] = transform.bias;
        job_.low = transform.low;
        job_.high = transform.high;
      }
    }
  }
  // Without an activation the limits are those of any sum, which only stray bits past the last
  // channel could exceed.
  job_.clamp = params_.activation != Activation::kNone || params_.channels_per_group() % 32 != 0;
  job_.multiplier = multipliers_.data();
  job_.bias = biases_.data();
  job_.threshold = thresholds_.data();
  job_.output_type = bits                                ? BConv2DOutput::kBits
                     : params_.output == DataType::kInt8 ? BConv2DOutput::kInt8
                                                         : BConv2DOutput::kFloat32;
}

}  // namespace tflbnn
