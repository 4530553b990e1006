#include "core/averagepool/averagepool.h"

#include "core/work.h"

namespace tflbnn {
namespace {

float Element(const AveragePoolJob& job, ptrdiff_t pixel, int channel) {
  float v = job.input[pixel * job.channels + channel];
  if (job.multiplier) {
    v = v * job.multiplier[channel];
    v = v + job.addend[channel];
  }
  return v;
}

float Mean(const AveragePoolJob& job, ptrdiff_t image, int channel) {
  const ptrdiff_t pixels = job.input_height * job.input_width;
  float sum = 0;
  for (ptrdiff_t p = 0; p < pixels; ++p) sum = sum + Element(job, image * pixels + p, channel);
  return sum * (1.f / static_cast<float>(pixels));
}

float WindowsMean(const AveragePoolJob& job, ptrdiff_t image, ptrdiff_t oy, ptrdiff_t ox,
                  int channel) {
  float tap[kAveragePoolTaps] = {};
  int count = 0;
  for (ptrdiff_t i = 0; i < job.filter_height * job.filter_width; ++i) {
    const ptrdiff_t y = oy * job.stride_height - job.pad_top + i % job.filter_height,
                    x = ox * job.stride_width - job.pad_left + i / job.filter_height;
    if (y < 0 || y >= job.input_height || x < 0 || x >= job.input_width) continue;
    tap[i] = Element(job, (image * job.input_height + y) * job.input_width + x, channel);
    ++count;
  }
  const float right = tap[0] + tap[1] + tap[8] + (tap[6] + tap[7]);
  return (tap[2] + tap[3] + (tap[4] + tap[5]) + right) * (1.f / static_cast<float>(count));
}

// The definition, see generic.h.
void RunReference(const AveragePoolJob& job, size_t first, size_t last) {
  const ptrdiff_t blocks = (job.channels + 31) / 32;
  for (auto at = static_cast<ptrdiff_t>(first); at < static_cast<ptrdiff_t>(last); ++at) {
    const ptrdiff_t row = at / blocks, image = row / job.output_height;
    const int begin = static_cast<int>(at % blocks) * 32;
    for (int channel = begin; channel < begin + 32 && channel < job.channels; ++channel) {
      for (ptrdiff_t x = 0; x < job.output_width; ++x) {
        float& output = job.output[(row * job.output_width + x) * job.output_pitch + channel];
        output = job.whole ? Mean(job, image, channel)
                           : WindowsMean(job, image, row % job.output_height, x, channel);
      }
    }
  }
}

}  // namespace

AveragePool2D::AveragePool2D(const AveragePool2DParams& params, int channels, const Affine& affine,
                             Isa isa)
    : params_(params),
      kernel_(Select(kAveragePoolKernels, isa)),
      run_(kernel_ ? kernel_->run : RunReference),
      channels_(channels),
      total_(channels) {
  if (affine.empty()) return;
  const size_t lanes = static_cast<size_t>(channels) + 32;
  // Multiplying by 1 and adding -0 change nothing, not even a zero's sign.
  multiplier_ = affine.multiplier;
  multiplier_.resize(lanes, 1.f);
  addend_ = affine.addend;
  addend_.resize(lanes, -0.f);
}

void AveragePool2D::Place(int total, int first) {
  total_ = total;
  first_ = first;
}

Status AveragePool2D::Resize(const Shape* inputs, Shape* outputs) {
  const Shape& in = inputs[0];
  if (in.rank != 4 || in.last() != channels_) {
    return Status::Error("%s: %d channels were expected. Received: %s", name(), channels_,
                         in.ToString().c_str());
  }
  Window height = params_.height, width = params_.width;
  if (params_.whole) {
    if (in.dims[1] < 1 || in.dims[2] < 1) {
      return Status::Error("Mean: an image needs a pixel. Received: %s", in.ToString().c_str());
    }
    height.filter = in.dims[1];
    width.filter = in.dims[2];
  }
  WindowPlacement rows, columns;
  Status placed = PlaceWindow(height, params_.padding, in.dims[1], &rows);
  if (placed.ok()) placed = PlaceWindow(width, params_.padding, in.dims[2], &columns);
  if (!placed.ok()) return Status::Error("%s: %s", name(), placed.message().c_str());
  outputs[0] = params_.whole && !params_.keep_dims
                   ? Shape{2, {in.dims[0], total_}}
                   : Shape{4, {in.dims[0], rows.output, columns.output, total_}};
  job_.channels = channels_;
  job_.output_pitch = total_;
  job_.whole = params_.whole;
  job_.input_height = in.dims[1];
  job_.input_width = in.dims[2];
  SetWindows(height, width, rows, columns, &job_);
  blocks_ = 0;
  if (outputs[0].Rows() > 0) {
    blocks_ = static_cast<size_t>(in.dims[0]) * static_cast<size_t>(rows.output) *
              ((static_cast<size_t>(channels_) + 31) / 32);
  }
  return Status::Ok();
}

void AveragePool2D::Run(const Arguments& arguments) const {
  if (blocks_ == 0) return;
  AveragePoolJob job = job_;
  job.input = static_cast<const float*>(arguments.inputs[0]);
  job.output = static_cast<float*>(arguments.outputs[0]) + first_;
  job.multiplier = multiplier_.empty() ? nullptr : multiplier_.data();
  job.addend = addend_.data();
  const double work = static_cast<double>(blocks_) * 32 * static_cast<double>(job.output_width) *
                      static_cast<double>(job.filter_height * job.filter_width) / kFloatsPerNs;
  arguments.pool->ParallelFor(blocks_, 1, work,
                              [&](size_t first, size_t last, int) { run_(job, first, last); });
}

}  // namespace tflbnn
