#include "core/maxpool/maxpool.h"

#include <cmath>

#include "core/work.h"

namespace tflbnn {
namespace {

// The definition: the greatest number, or the least where the multiplier is negative, through the
// map.
void RunReference(const MaxPoolJob& job, size_t first, size_t last) {
  const ptrdiff_t row = job.output_width * job.channels;
  for (auto at = static_cast<ptrdiff_t>(first) * row; at < static_cast<ptrdiff_t>(last) * row;
       ++at) {
    const ptrdiff_t c = at % job.channels, ox = at / job.channels % job.output_width;
    const ptrdiff_t oy = at / row % job.output_height, image = at / row / job.output_height;
    float most = -INFINITY;
    for (ptrdiff_t fy = 0; fy < job.filter_height; ++fy) {
      for (ptrdiff_t fx = 0; fx < job.filter_width; ++fx) {
        const ptrdiff_t y = oy * job.stride_height - job.pad_top + fy,
                        x = ox * job.stride_width - job.pad_left + fx;
        if (y < 0 || y >= job.input_height || x < 0 || x >= job.input_width) continue;
        const ptrdiff_t pixel = (image * job.input_height + y) * job.input_width + x;
        const float value = job.input[pixel * job.channels + c];
        const float v = job.sign && job.sign[c] ? -value : value;
        if (v > most) most = v;
      }
    }
    if (job.sign) {
      most = most * job.multiplier[c];
      most = most + job.addend[c];
    }
    most = most > job.low ? most : job.low;
    job.output[at / job.channels * job.output_pitch + c] = most < job.high ? most : job.high;
  }
}

}  // namespace

MaxPool2D::MaxPool2D(const MaxPool2DParams& params, int channels, const Affine& affine, Isa isa)
    : params_(params),
      kernel_(Select(kMaxPoolKernels, isa)),
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
  sign_.assign(lanes, 0);
  for (size_t i = 0; i < lanes; ++i) {
    if (!std::signbit(multiplier_[i])) continue;
    sign_[i] = INT32_MIN;
    multiplier_[i] = -multiplier_[i];
  }
}

void MaxPool2D::Place(int total, int first) {
  total_ = total;
  first_ = first;
}

Status MaxPool2D::Resize(const Shape* inputs, Shape* outputs) {
  const Shape& in = inputs[0];
  if (in.rank != 4 || in.last() != channels_) {
    return Status::Error("MaxPool2D: %d channels were expected. Received: %s", channels_,
                         in.ToString().c_str());
  }
  WindowPlacement rows, columns;
  Status placed = PlaceWindow(params_.height, params_.padding, in.dims[1], &rows);
  if (placed.ok()) placed = PlaceWindow(params_.width, params_.padding, in.dims[2], &columns);
  if (!placed.ok()) return Status::Error("MaxPool2D: %s", placed.message().c_str());
  outputs[0] = Shape{4, {in.dims[0], rows.output, columns.output, total_}};
  job_.channels = channels_;
  job_.output_pitch = total_;
  job_.input_height = in.dims[1];
  job_.input_width = in.dims[2];
  SetWindows(params_.height, params_.width, rows, columns, &job_);
  job_.low = params_.low;
  job_.high = params_.high;
  rows_ = outputs[0].Rows() > 0 ? static_cast<size_t>(in.dims[0]) * static_cast<size_t>(rows.output)
                                : 0;
  return Status::Ok();
}

void MaxPool2D::Run(const Arguments& arguments) const {
  if (rows_ == 0) return;
  MaxPoolJob job = job_;
  job.input = static_cast<const float*>(arguments.inputs[0]);
  job.output = static_cast<float*>(arguments.outputs[0]) + first_;
  job.sign = sign_.empty() ? nullptr : sign_.data();
  job.multiplier = multiplier_.data();
  job.addend = addend_.data();
  const double work = static_cast<double>(rows_) * static_cast<double>(job.output_width) *
                      job.channels * static_cast<double>(job.filter_height * job.filter_width) /
                      kFloatsPerNs;
  arguments.pool->ParallelFor(rows_, 1, work,
                              [&](size_t first, size_t last, int) { run_(job, first, last); });
}

}  // namespace tflbnn
