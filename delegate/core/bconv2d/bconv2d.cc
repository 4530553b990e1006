#include "core/bconv2d/bconv2d.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include "core/aligned_buffer.h"
#include "core/bconv2d/dispatch.h"
#include "core/bconv2d/reference.h"
#include "core/bconv2d/zero_padding.h"

namespace tflbnn {
namespace {

// Tables of rows and of columns are made before anybody finds out that there is no memory for the
// image itself.
constexpr int kMaxPositions = 1 << 22;

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

Status BConv2D::Validate(const BConv2DParams& p) {
  for (const Window& window : {p.height, p.width}) {
    if (window.filter < 1 || window.stride < 1 || window.dilation < 1) {
      return Status::Error("filter, stride and dilation must be positive. Received: %d, %d, %d",
                           window.filter, window.stride, window.dilation);
    }
  }
  if (p.channels_in < 1 || p.channels_out < 1 || p.groups < 1) {
    return Status::Error("channels and groups must be positive. Received: %d in, %d out, %d groups",
                         p.channels_in, p.channels_out, p.groups);
  }
  if (p.channels_out % p.groups || p.channels_in % p.groups) {
    return Status::Error(
        "groups must divide the channels. Received: %d groups, %d channels in, %d out", p.groups,
        p.channels_in, p.channels_out);
  }
  if (p.groups > 1 && p.channels_per_group() % 32) {
    return Status::Error(
        "groups are packed in words of 32 input channels. Received: %d channels a group",
        p.channels_per_group());
  }
  // Doubled counts, corrections included, must fit 32 bits.
  if (int64_t{p.height.filter} * p.width.filter > INT_MAX / 4 ||
      int64_t{p.taps()} * WordsForChannels(p.channels_per_group()) > INT_MAX / 4 / 32) {
    return Status::Error("the filter is too large: %dx%d taps of %d channels", p.height.filter,
                         p.width.filter, p.channels_per_group());
  }
  if (p.output == DataType::kInt8 && !(p.output_scale > 0)) {
    return Status::Error("an int8 output needs a positive scale. Received: %g",
                         double{p.output_scale});
  }
  return Status::Ok();
}

Status BConv2D::Create(const BConv2DParams& params, const BConv2DConstants& constants, Isa isa,
                       std::unique_ptr<BConv2D>* operation) {
  TFLBNN_RETURN_IF_ERROR(Validate(params));
  std::unique_ptr<BConv2D> self(new BConv2D(params));
  if (params.output == DataType::kFloat32) self->epilogue_.Store(0, params.channels_out, 0);
  self->kernel_ = SelectBConv2D(isa);
  if (self->kernel_) {
    TFLBNN_RETURN_IF_ERROR(self->PackWeights(constants.filter));
    self->PackTransforms(constants);
  } else {
    TFLBNN_RETURN_IF_ERROR(self->CopyConstants(constants));
  }
  *operation = std::move(self);
  return Status::Ok();
}

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
      const bool both = kernel_->pairs && word % static_cast<size_t>(words) % 2 == 1;
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
  job_.wide = depth * 32 > 65535;
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

Status BConv2D::Resize(const Shape* inputs, Shape* outputs) {
  const Shape& in = inputs[0];
  if (in.rank != 4)
    return Status::Error("LceBconv2d: the input must have 4 dimensions. Received: %d", in.rank);
  if (in.dims[3] != WordsForChannels(params_.channels_in)) {
    return Status::Error(
        "LceBconv2d: %d input channels are %lld words. Received: input %s", params_.channels_in,
        static_cast<long long>(WordsForChannels(params_.channels_in)), in.ToString().c_str());
  }
  WindowPlacement rows, columns;
  Status placed = PlaceWindow(params_.height, params_.padding, in.dims[1], &rows);
  if (placed.ok()) placed = PlaceWindow(params_.width, params_.padding, in.dims[2], &columns);
  if (!placed.ok()) return Status::Error("LceBconv2d: %s", placed.message().c_str());
  const int channels = params_.output == DataType::kBits
                           ? static_cast<int>(WordsForChannels(params_.channels_out))
                           : params_.channels_out;
  if (std::max(rows.output, columns.output) > kMaxPositions) {
    return Status::Error(
        "LceBconv2d: the image must have at most %d rows and columns. Received: %s", kMaxPositions,
        in.ToString().c_str());
  }
  input_ = in;
  output_ = Shape{4, {in.dims[0], rows.output, columns.output, channels}};
  if (params_.output == DataType::kFloat32) {
    placed = epilogue_.Resize(output_, inputs, outputs);
    if (!placed.ok()) return Status::Error("LceBconv2d: %s", placed.message().c_str());
  } else {
    outputs[0] = output_;
  }
  // Nothing to compute; and sizes that only an empty batch may have.
  if (!kernel_ || output_.Rows() == 0) return Status::Ok();
  job_.output_height = rows.output;
  job_.output_width = columns.output;
  job_.output_pitch = channels;
  PlaceTaps(rows, columns);
  const Status status = PlacePadding(rows, columns);
  return status.ok() ? status : Status::Error("LceBconv2d: %s", status.message().c_str());
}

void BConv2D::PlaceTaps(const WindowPlacement& rows, const WindowPlacement& columns) {
  job_.pixel_words = input_.dims[3];
  job_.row_words = job_.pixel_words * input_.dims[2];
  job_.image_words = job_.row_words * input_.dims[1];
  job_.input_height = input_.dims[1];
  job_.input_width = input_.dims[2];
  job_.filter_height = params_.height.filter;
  job_.filter_width = params_.width.filter;
  job_.stride_height = params_.height.stride;
  job_.stride_width = params_.width.stride;
  job_.dilation_height = params_.height.dilation;
  job_.dilation_width = params_.width.dilation;
  job_.pad_top = rows.before;
  job_.pad_left = columns.before;
  job_.taps = params_.taps();
  job_.words = params_.words();
  // Used where all taps lie inside, which no window does that is larger than the input; then they
  // might overflow.
  const bool fits = (params_.height.filter - 1) * job_.dilation_height < job_.input_height &&
                    (params_.width.filter - 1) * job_.dilation_width < job_.input_width;
  tap_offsets_.assign(static_cast<size_t>(job_.taps), 0);
  for (int tap = 0; fits && tap < job_.taps; ++tap) {
    const int y = tap / job_.filter_width, x = tap % job_.filter_width;
    tap_offsets_[static_cast<size_t>(tap)] = static_cast<ptrdiff_t>(
        y * job_.dilation_height * job_.row_words + x * job_.dilation_width * job_.pixel_words);
  }
  job_.tap_offset = tap_offsets_.data();
  // A batch of pixels keeps its pointers in 64 KiB, but holds one tile at least.
  const int64_t tile = int64_t{kernel_->tile_pixels} * job_.taps;
  const int64_t tiles = std::max<int64_t>(1, std::min<int64_t>(kMaxTilesPerBatch, 8192 / tile));
  job_.pointer_pixels = static_cast<int>(tiles) * kernel_->tile_pixels;
}

Status BConv2D::PlacePadding(const WindowPlacement& rows, const WindowPlacement& columns) {
  job_.row_class = job_.column_class = nullptr;
  job_.correction = nullptr;
  if (params_.padding == Padding::kValid) return Status::Ok();
  if (!zeros_.AllocateZeroed(static_cast<size_t>(job_.pixel_words) * 4)) {
    return Status::Error("no memory for %td words", job_.pixel_words);
  }
  job_.zeros = zeros_.as<uint32_t>();
  const auto row_ranges = ClassifyPositions(params_.height, rows, job_.input_height, &row_class_);
  const auto column_ranges =
      ClassifyPositions(params_.width, columns, job_.input_width, &column_class_);
  job_.row_class = row_class_.data();
  job_.column_class = column_class_.data();
  job_.column_classes = static_cast<int>(column_ranges.size());
  if (!params_.zero_padding) return Status::Ok();
  TFLBNN_RETURN_IF_ERROR(
      MakeZeroPaddingTable(params_, blocks_, tap_counts_, row_ranges, column_ranges, &correction_));
  job_.correction = correction_.as<int32_t>();
  return Status::Ok();
}

size_t BConv2D::InputWords() const { return input_.Rows() * static_cast<size_t>(input_.last()); }

size_t BConv2D::PointersPerThread() const {
  return static_cast<size_t>(job_.taps) * static_cast<size_t>(job_.pointer_pixels);
}

size_t BConv2D::PointerBytes(int threads) const {
  return AlignUp(PointersPerThread() * static_cast<size_t>(threads) * sizeof(void*));
}

bool BConv2D::NeedsPairs() const { return kernel_->pairs && job_.words > 1; }

// The epilogue's stages, then pointers for each thread and the input in pairs; or the reference's
// result.
size_t BConv2D::ScratchBytes(int threads) const {
  const size_t rest =
      !kernel_ ? output_.Rows() * static_cast<size_t>(params_.channels_out) * 4
               : PointerBytes(threads) + (NeedsPairs() ? InputWords() * sizeof(uint32_t) : 0);
  return AlignUp(epilogue_.ScratchBytes()) + rest;
}

void BConv2D::RunReference(const Arguments& arguments) const {
  const bool stages = params_.output == DataType::kFloat32;
  auto* const result = static_cast<uint8_t*>(arguments.scratch) + AlignUp(epilogue_.ScratchBytes());
  BConv2DReference(params_, {filter_.data(), multiplier_.data(), bias_.data(), threshold_.data()},
                   input_, output_, static_cast<const uint32_t*>(arguments.inputs[0]),
                   stages ? result : arguments.outputs[0]);
  if (!stages) return;
  const Stage* const list = epilogue_.Bind(arguments, arguments.scratch);
  const auto* value = reinterpret_cast<const float*>(result);
  for (ptrdiff_t pixel = 0; pixel < static_cast<ptrdiff_t>(output_.Rows()); ++pixel) {
    for (int channel = 0; channel < params_.channels_out; ++channel) {
      ApplyStages(list, epilogue_.size(), pixel, channel, *value++);
    }
  }
}

int64_t BConv2D::binary_macs() const {
  return static_cast<int64_t>(output_.Rows()) * params_.channels_out * params_.depth();
}

// Replaces the second word of every two of a group by the exclusive or of both. It takes about a
// thousandth of the convolution's time, less than waking the other threads for it would.
void BConv2D::MakePairs(const uint32_t* input, uint32_t* pairs) const {
  const size_t count = InputWords(), words = static_cast<size_t>(job_.words);
  memcpy(pairs, input, count * sizeof(uint32_t));
  if (words % 2 == 0) {
    for (size_t i = 0; i < count; i += 2) pairs[i + 1] = input[i] ^ input[i + 1];
    return;
  }
  for (size_t group = 0; group < count; group += words) {
    for (size_t i = group; i + 1 < group + words; i += 2) pairs[i + 1] = input[i] ^ input[i + 1];
  }
}

void BConv2D::Run(const Arguments& arguments) const {
  if (output_.Rows() == 0) return;
  if (!kernel_) return RunReference(arguments);
  BConv2DJob job = job_;
  job.input = static_cast<const uint32_t*>(arguments.inputs[0]);
  if (params_.output == DataType::kFloat32) {
    job.stages = epilogue_.Bind(arguments, arguments.scratch);
    job.stage_count = epilogue_.size();
  } else {
    job.output = arguments.outputs[0];
  }
  auto* const pointers = reinterpret_cast<const uint32_t**>(
      static_cast<uint8_t*>(arguments.scratch) + AlignUp(epilogue_.ScratchBytes()));
  if (NeedsPairs()) {
    auto* const pairs = reinterpret_cast<uint32_t*>(reinterpret_cast<uint8_t*>(pointers) +
                                                    PointerBytes(arguments.pool->size()));
    MakePairs(job.input, pairs);
    job.input = pairs;
  }
  arguments.pool->ParallelFor(
      output_.Rows(), static_cast<size_t>(kernel_->tile_pixels),
      [&](size_t first, size_t last, int thread) {
        kernel_->run(job, pointers + PointersPerThread() * static_cast<size_t>(thread), first,
                     last);
      });
}

}  // namespace tflbnn
