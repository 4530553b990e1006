#include "core/conv2d/conv2d.h"

#include <algorithm>
#include <cmath>

#include "core/work.h"

namespace tflbnn {
namespace {

constexpr ptrdiff_t kLanes = 32;

// The definition. Padding takes part as zeros.
void RunReference(const Conv2DJob& job, size_t first, size_t last) {
  for (auto at = static_cast<ptrdiff_t>(first); at < static_cast<ptrdiff_t>(last); ++at) {
    const ptrdiff_t ox = at % job.output_width, row = at / job.output_width;
    const ptrdiff_t oy = row % job.output_height, image = row / job.output_height;
    for (int channel = 0; channel < job.channels_out; ++channel) {
      const ptrdiff_t depth = job.filter_height * job.filter_width * job.channels_in;
      const float* weight = job.weights + channel / kLanes * depth * kLanes + channel % kLanes;
      float sum = job.bias[channel];
      for (ptrdiff_t i = 0; i < depth; ++i, weight += kLanes) {
        const ptrdiff_t tap = i / job.channels_in;
        const ptrdiff_t y = oy * job.stride_height - job.pad_top + tap / job.filter_width,
                        x = ox * job.stride_width - job.pad_left + tap % job.filter_width;
        const bool inside = y >= 0 && y < job.input_height && x >= 0 && x < job.input_width;
        const ptrdiff_t pixel = (image * job.input_height + y) * job.input_width + x;
        const float v = inside ? job.input[pixel * job.channels_in + i % job.channels_in] : 0.f;
        sum = std::fma(v, *weight, sum);
      }
      ApplyStages(job.stages, job.stage_count, at, channel, sum);
    }
  }
}

}  // namespace

bool Conv2D::Available(Isa isa) {
  return Select(kConv2DKernels, isa == Isa::kReference ? BestIsa() : isa) != nullptr;
}

Conv2D::Conv2D(const Conv2DParams& params, const std::vector<float>& filter,
               const std::vector<float>& bias, Isa isa)
    : ChainOperation(params.channels_out),
      params_(params),
      kernel_(Select(kConv2DKernels, isa)),
      bias_(bias) {
  bias_.resize(bias_.size() + kLanes, 0.f);
  PackWeights(filter);
  epilogue_.Store(0, params.channels_out, 0);
}

void Conv2D::PackWeights(const std::vector<float>& filter) {
  const size_t channels = static_cast<size_t>(params_.channels_out),
               depth = filter.size() / channels;
  const size_t blocks = (channels + kLanes - 1) / kLanes;
  if (!weights_.AllocateZeroed(blocks * depth * kLanes * sizeof(float))) return;
  auto* const packed = weights_.as<float>();
  for (size_t channel = 0; channel < channels; ++channel) {
    float* to = packed + channel / kLanes * depth * kLanes + channel % kLanes;
    for (size_t i = 0; i < depth; ++i, to += kLanes) *to = filter[channel * depth + i];
  }
}

Status Conv2D::Resize(const Shape* inputs, Shape* outputs) {
  if (inputs[0].rank != (params_.dense ? 2 : 4) || inputs[0].last() != params_.channels_in) {
    return Status::Error("%s: %d channels were expected. Received: %s", name(), params_.channels_in,
                         inputs[0].ToString().c_str());
  }
  const Shape in =
      params_.dense ? Shape{4, {inputs[0].dims[0], 1, 1, inputs[0].dims[1]}} : inputs[0];
  if (!weights_.data()) return Status::Error("%s: no memory for the packed weights", name());
  WindowPlacement rows, columns;
  Status placed = PlaceWindow(params_.height, params_.padding, in.dims[1], &rows);
  if (placed.ok()) placed = PlaceWindow(params_.width, params_.padding, in.dims[2], &columns);
  const Shape out = params_.dense
                        ? Shape{2, {in.dims[0], params_.channels_out}}
                        : Shape{4, {in.dims[0], rows.output, columns.output, params_.channels_out}};
  if (placed.ok()) placed = epilogue_.Resize(out, inputs, outputs);
  if (!placed.ok()) return Status::Error("%s: %s", name(), placed.message().c_str());
  job_.weights = weights_.as<float>();
  job_.bias = bias_.data();
  job_.channels_in = params_.channels_in;
  job_.channels_out = params_.channels_out;
  job_.input_height = in.dims[1];
  job_.input_width = in.dims[2];
  SetWindows(params_.height, params_.width, rows, columns, &job_);
  job_.window_numbers = 0;
  if (kernel_) {
    const ptrdiff_t columns = (kernel_->tile_pixels - 1) * job_.stride_width + job_.filter_width;
    job_.window_numbers = job_.filter_height * columns * job_.channels_in;
  }
  pixels_ = out.Rows();
  grain_ = pixels_ ? static_cast<size_t>(job_.output_width) : 1;
  if (kernel_ && pixels_ && job_.filter_height == 1 && job_.filter_width == 1 &&
      job_.stride_height == 1 && job_.stride_width == 1) {
    // All pixels are one row.
    job_.input_height = job_.output_height = 1;
    job_.input_width = job_.output_width = static_cast<ptrdiff_t>(pixels_);
    grain_ = static_cast<size_t>(kernel_->tile_pixels);
  }
  // Where the weights are most of what is read, each thread reads only its own.
  by_channels_ = static_cast<size_t>(params_.channels_out) > pixels_;
  job_.last_block = static_cast<int>(Blocks());
  return Status::Ok();
}

size_t Conv2D::WindowBytes() const {
  return AlignUp(static_cast<size_t>(job_.window_numbers) * kConv2DTiles * sizeof(float));
}

// The epilogue's stages, then a window for each thread.
size_t Conv2D::ScratchBytes(int threads) const {
  return AlignUp(epilogue_.ScratchBytes()) + WindowBytes() * static_cast<size_t>(threads);
}

void Conv2D::Run(const Arguments& arguments) const {
  if (pixels_ == 0) return;
  Conv2DJob job = job_;
  job.input = static_cast<const float*>(arguments.inputs[0]);
  job.stages = epilogue_.Bind(arguments, arguments.scratch);
  job.stage_count = epilogue_.size();
  if (!kernel_) return RunReference(job, 0, pixels_);
  auto* const windows =
      static_cast<uint8_t*>(arguments.scratch) + AlignUp(epilogue_.ScratchBytes());
  const auto run = [&](const Conv2DJob& part, size_t first, size_t last, int thread) {
    auto* const window = windows + WindowBytes() * static_cast<size_t>(thread);
    kernel_->run(part, reinterpret_cast<float*>(window), first, last);
  };
  const double work = static_cast<double>(pixels_) * static_cast<double>(weights_.size()) /
                      sizeof(float) / kMacsPerNs;
  if (by_channels_) {
    arguments.pool->ParallelFor(Blocks(), 1, work, [&](size_t first, size_t last, int thread) {
      Conv2DJob part = job;
      part.first_block = static_cast<int>(first);
      part.last_block = static_cast<int>(last);
      run(part, 0, pixels_, thread);
    });
    return;
  }
  arguments.pool->ParallelFor(pixels_, grain_, work, [&](size_t first, size_t last, int thread) {
    run(job, first, last, thread);
  });
}

}  // namespace tflbnn
