#include "core/bmaxpool/bmaxpool.h"

#include "core/work.h"

namespace tflbnn {

Status BMaxPool2D::Validate(const BMaxPool2DParams& params) {
  for (const Window& window : {params.height, params.width}) {
    if (window.filter < 1 || window.stride < 1) {
      return Status::Error("filter and stride must be positive. Received: %d, %d", window.filter,
                           window.stride);
    }
  }
  return Status::Ok();
}

Status BMaxPool2D::Resize(const Shape* inputs, Shape* output) {
  const Shape& in = inputs[0];
  if (in.rank != 4)
    return Status::Error("LceBMaxPool2d: the input must have 4 dimensions. Received: %d", in.rank);
  if (in.dims[3] < 1) return Status::Error("LceBMaxPool2d: the input has no channels");
  WindowPlacement rows, columns;
  Status placed = PlaceWindow(params_.height, params_.padding, in.dims[1], &rows);
  if (placed.ok()) placed = PlaceWindow(params_.width, params_.padding, in.dims[2], &columns);
  if (!placed.ok()) return Status::Error("LceBMaxPool2d: %s", placed.message().c_str());
  *output = Shape{4, {in.dims[0], rows.output, columns.output, in.dims[3]}};
  job_ = {};
  job_.input_height = in.dims[1];
  job_.input_width = in.dims[2];
  job_.output_height = rows.output;
  job_.output_width = columns.output;
  job_.words = in.dims[3];
  job_.filter_height = params_.height.filter;
  job_.filter_width = params_.width.filter;
  job_.stride_height = params_.height.stride;
  job_.stride_width = params_.width.stride;
  job_.pad_top = rows.before;
  job_.pad_left = columns.before;
  rows_ = static_cast<size_t>(in.dims[0]) * static_cast<size_t>(rows.output);
  return Status::Ok();
}

void BMaxPool2D::Run(const Arguments& arguments) const {
  BMaxPool2DJob job = job_;
  job.input = static_cast<const uint32_t*>(arguments.inputs[0]);
  job.output = static_cast<uint32_t*>(arguments.outputs[0]);
  auto* const run = isa_ == Isa::kReference ? BMaxPool2DReference : BMaxPool2DScalar;
  const double work = static_cast<double>(rows_) * job.output_width * job.words *
                      job.filter_height * job.filter_width / kFloatsPerNs;
  arguments.pool->ParallelFor(rows_, 1, work,
                              [&](size_t first, size_t last, int) { run(job, first, last); });
}

}  // namespace tflbnn
