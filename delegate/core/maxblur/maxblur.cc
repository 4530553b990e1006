#include "core/maxblur/maxblur.h"

#include <algorithm>
#include <cmath>

#include "core/work.h"

namespace tflbnn {
namespace {

// The definition: every pooled number anew for each tap.
void RunReference(const MaxBlurJob& job, float*, size_t first, size_t last) {
  const ptrdiff_t channels = job.channels, row = job.output_width * channels;
  for (auto at = static_cast<ptrdiff_t>(first) * row; at < static_cast<ptrdiff_t>(last) * row;
       ++at) {
    const ptrdiff_t c = at % channels, ox = at / channels % job.output_width,
                    oy = at / row % job.output_height, image = at / row / job.output_height;
    float sum = job.bias[c];
    for (ptrdiff_t i = 0; i < job.filter_height * job.filter_width; ++i) {
      const ptrdiff_t fy = i % job.filter_height, fx = i / job.filter_height;  // column by column
      const ptrdiff_t y = oy * job.stride_height - job.pad_top + fy,
                      x = ox * job.stride_width - job.pad_left + fx;
      if (y < 0 || y >= job.pooled_height || x < 0 || x >= job.pooled_width) continue;
      const auto pixel = [&](ptrdiff_t py, ptrdiff_t px) {
        const ptrdiff_t place = (image * job.input_height + y + py) * job.input_width + x + px;
        return job.input[place * channels + c];
      };
      float most = job.pool_low;
      for (ptrdiff_t k = 0; k < job.pool_height * job.pool_width; ++k)
        most = std::max(most, pixel(k / job.pool_width, k % job.pool_width));
      // A maximum loses NaN, which a depthwise convolution without a pooling keeps.
      const float tap = job.pools ? std::min(most, job.pool_high) : pixel(0, 0);
      sum = std::fma(tap, job.filter[(fy * job.filter_width + fx) * job.lanes + c], sum);
    }
    sum = sum > job.low ? sum : job.low;
    job.output[at] = sum < job.high ? sum : job.high;
  }
}

}  // namespace

MaxBlur::MaxBlur(const MaxBlurParams& params, const std::vector<float>& filter,
                 const std::vector<float>& bias, Isa isa)
    : params_(params),
      kernel_(Select(kMaxBlurKernels, isa)),
      run_(kernel_ ? kernel_->run : RunReference),
      bias_(bias) {
  const size_t channels = static_cast<size_t>(params.channels), lanes = channels + 32;
  bias_.resize(lanes, 0.f);
  filter_.assign(filter.size() / channels * lanes, 0.f);
  for (size_t i = 0; i < filter.size(); ++i)
    filter_[i / channels * lanes + i % channels] = filter[i];
  job_.filter = filter_.data();
  job_.bias = bias_.data();
  job_.lanes = static_cast<ptrdiff_t>(lanes);
}

Status MaxBlur::Resize(const Shape* inputs, Shape* outputs) {
  const Shape& in = inputs[0];
  if (in.rank != 4 || in.last() != params_.channels) {
    return Status::Error("MaxBlur: %d channels were expected. Received: %s", params_.channels,
                         in.ToString().c_str());
  }
  WindowPlacement pooled_rows, pooled_columns, rows, columns;
  Status placed =
      PlaceWindow({params_.pool_height, 1, 1}, Padding::kValid, in.dims[1], &pooled_rows);
  if (placed.ok())
    placed = PlaceWindow({params_.pool_width, 1, 1}, Padding::kValid, in.dims[2], &pooled_columns);
  if (placed.ok()) placed = PlaceWindow(params_.height, params_.padding, pooled_rows.output, &rows);
  if (placed.ok())
    placed = PlaceWindow(params_.width, params_.padding, pooled_columns.output, &columns);
  if (!placed.ok()) return Status::Error("MaxBlur: %s", placed.message().c_str());
  outputs[0] = Shape{4, {in.dims[0], rows.output, columns.output, params_.channels}};
  job_.channels = params_.channels;
  job_.input_height = in.dims[1];
  job_.input_width = in.dims[2];
  job_.pooled_height = pooled_rows.output;
  job_.pooled_width = pooled_columns.output;
  job_.pool_height = params_.pool_height;
  job_.pool_width = params_.pool_width;
  job_.pools = params_.pool_height * params_.pool_width > 1 || !params_.pool_limits.none();
  job_.pool_low = params_.pool_limits.low;
  job_.pool_high = params_.pool_limits.high;
  SetWindows(params_.height, params_.width, rows, columns, &job_);
  job_.low = params_.limits.low;
  job_.high = params_.limits.high;
  rows_ = outputs[0].Rows() > 0 ? static_cast<size_t>(in.dims[0]) * static_cast<size_t>(rows.output)
                                : 0;
  return Status::Ok();
}

size_t MaxBlur::RowsPerThread() const {
  const auto row = static_cast<size_t>(job_.pooled_width) * 32;  // channels at a time
  return AlignUp(row * static_cast<size_t>(job_.filter_height));
}

size_t MaxBlur::ScratchBytes(int threads) const {
  return rows_ && job_.pools ? RowsPerThread() * sizeof(float) * static_cast<size_t>(threads) : 0;
}

void MaxBlur::Run(const Arguments& arguments) const {
  if (rows_ == 0) return;
  MaxBlurJob job = job_;
  job.input = static_cast<const float*>(arguments.inputs[0]);
  job.output = static_cast<float*>(arguments.outputs[0]);
  auto* const scratch = static_cast<float*>(arguments.scratch);
  const double work = static_cast<double>(rows_) * static_cast<double>(job.output_width) *
                      static_cast<double>(job.channels) *
                      static_cast<double>(job.filter_height * job.filter_width) / kFloatsPerNs;
  arguments.pool->ParallelFor(rows_, 1, work, [&](size_t first, size_t last, int thread) {
    run_(job, scratch + RowsPerThread() * static_cast<size_t>(thread), first, last);
  });
}

}  // namespace tflbnn
