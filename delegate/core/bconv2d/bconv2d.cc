#include "core/bconv2d/bconv2d.h"

#include <algorithm>
#include <climits>

#include "core/bconv2d/dispatch.h"
#include "core/bconv2d/reference.h"
#include "core/work.h"

namespace tflbnn {
namespace {

// Tables of rows and of columns are made before anybody finds out that there is no memory for the
// image itself.
constexpr int kMaxPositions = 1 << 22;
// Of the input's copy, at a time: as much as is worth the start of a loop.
constexpr size_t kCopiedBytes = 2048;
// Kernels take two blocks of channels at a time where they can.
constexpr size_t kBlocksPerGrain = 2, kEnoughPieces = 4;

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
  self->kernel_ = Select(kBConv2DKernels, isa);
  if (self->kernel_) {
    TFLBNN_RETURN_IF_ERROR(self->PackWeights(constants.filter));
    self->PackTransforms(constants);
  } else {
    TFLBNN_RETURN_IF_ERROR(self->CopyConstants(constants));
  }
  *operation = std::move(self);
  return Status::Ok();
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
  job_.first_block = 0;
  job_.last_block = job_.block_count;
  // Where the weights are most of what is read, each thread reads only its own, if that makes
  // enough pieces. Blocks that begin inside a word of signs must not be apart.
  const auto tile = static_cast<size_t>(kernel_->tile_pixels);
  by_channels_ =
      static_cast<size_t>(params_.channels_out) > output_.Rows() &&
      static_cast<size_t>(job_.block_count) >=
          kBlocksPerGrain * std::min(kEnoughPieces, output_.Rows() / tile) &&
      std::all_of(job_.blocks, job_.blocks + job_.block_count,
                  [](const BConv2DBlock& block) { return block.channel % kBlockChannels == 0; });
  PlaceInput(rows, columns);
  PlaceTaps();
  const Status status = PlacePadding(rows, columns);
  return status.ok() ? status : Status::Error("LceBconv2d: %s", status.message().c_str());
}

// And what the kernel gathers of the input.
size_t BConv2D::PointersPerThread() const {
  const size_t pixels = static_cast<size_t>(job_.pointer_pixels);
  const size_t gathered = (GatheredBytes() + sizeof(void*) - 1) / sizeof(void*);
  return (static_cast<size_t>(job_.taps) + gathered) * pixels;
}

size_t BConv2D::PointerBytes(int threads) const {
  return AlignUp(PointersPerThread() * static_cast<size_t>(threads) * sizeof(void*));
}

// The epilogue's stages, then pointers for each thread and the copy of the input; or the
// reference's result.
size_t BConv2D::ScratchBytes(int threads) const {
  const size_t rest = !kernel_ ? output_.Rows() * static_cast<size_t>(params_.channels_out) * 4
                               : PointerBytes(threads) + copy_words_ * sizeof(uint32_t);
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
  if (copy_words_ > 0) {
    auto* const copy = reinterpret_cast<uint32_t*>(reinterpret_cast<uint8_t*>(pointers) +
                                                   PointerBytes(arguments.pool->size()));
    // Rows are copied by who will read them: fetching them from another core takes longer than
    // that.
    const auto row_bytes = static_cast<size_t>(job_.row_words) * sizeof(uint32_t);
    const double work = static_cast<double>(copy_words_) * sizeof(uint32_t) / kBytesPerNs;
    arguments.pool->ParallelFor(
        copy_words_ * sizeof(uint32_t) / row_bytes, kCopiedBytes / row_bytes + 1, work,
        [&](size_t first, size_t last, int) { CopyInput(job.input, copy, first, last); });
    job.input = copy;
  }
  const auto run = [&](const BConv2DJob& part, size_t first, size_t last, int thread) {
    kernel_->run(part, pointers + PointersPerThread() * static_cast<size_t>(thread), first, last);
  };
  // Words count whole, whatever is used of them, and so do blocks of output channels.
  const double products = 32. * job_.taps * job_.words * kBlockChannels * job_.block_count;
  const double work = static_cast<double>(output_.Rows()) * products / kBinaryMacsPerNs;
  if (by_channels_) {
    arguments.pool->ParallelFor(static_cast<size_t>(job.block_count), kBlocksPerGrain, work,
                                [&](size_t first, size_t last, int thread) {
                                  BConv2DJob part = job;
                                  part.first_block = static_cast<int>(first);
                                  part.last_block = static_cast<int>(last);
                                  run(part, 0, output_.Rows(), thread);
                                });
    return;
  }
  arguments.pool->ParallelFor(
      output_.Rows(), static_cast<size_t>(kernel_->tile_pixels), work,
      [&](size_t first, size_t last, int thread) { run(job, first, last, thread); });
}

}  // namespace tflbnn
