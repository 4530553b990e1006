#include "core/maxpool/maxpool.h"

#include <algorithm>
#include <cmath>

namespace tflbnn {
namespace {

// The definition: every number through the map, then the greatest.
void RunReference(const MaxPoolJob& job, size_t first, size_t last) {
  const size_t row = static_cast<size_t>(job.output_width * job.output_pitch);
  for (size_t at = first * row; at < last * row; ++at) {
    const auto index = static_cast<ptrdiff_t>(at);
    const ptrdiff_t channel = index % job.output_pitch,
                    ox = index / job.output_pitch % job.output_width;
    const ptrdiff_t oy = index / static_cast<ptrdiff_t>(row) % job.output_height,
                    image = index / static_cast<ptrdiff_t>(row) / job.output_height;
    const MaxPoolPiece* piece = job.pieces;
    while (channel >= piece->first + piece->channels) ++piece;
    const ptrdiff_t c = channel - piece->first;
    float most = -INFINITY;
    for (ptrdiff_t fy = 0; fy < job.filter_height; ++fy) {
      for (ptrdiff_t fx = 0; fx < job.filter_width; ++fx) {
        const ptrdiff_t y = oy * job.stride_height - job.pad_top + fy,
                        x = ox * job.stride_width - job.pad_left + fx;
        if (y < 0 || y >= job.input_height || x < 0 || x >= job.input_width) continue;
        const ptrdiff_t pixel = (image * job.input_height + y) * job.input_width + x;
        float v = piece->input[pixel * piece->channels + c];
        if (piece->sign) {
          v = (piece->sign[c] ? -v : v) * piece->multiplier[c];
          v = v + piece->addend[c];
        }
        most = std::max(most, v);
      }
    }
    job.output[index] = std::min(std::max(most, job.low), job.high);
  }
}

}  // namespace

MaxPool2D::MaxPool2D(const MaxPool2DParams& params, const std::vector<Piece>& pieces, Isa isa)
    : params_(params), run_(RunReference) {
  for (const MaxPoolEntry& entry : kMaxPoolKernels) {
    if (entry.isa > isa) continue;
    run_ = entry.kernel().run;
    isa_ = entry.isa;
    break;
  }
  for (const Piece& piece : pieces) {
    Constants constants{piece.channels, channels_, {}, {}, {}};
    channels_ += piece.channels;
    if (!piece.affine.empty()) {
      const size_t lanes = static_cast<size_t>(piece.channels) + 32;
      // Multiplying by 1 and adding -0 change nothing, not even a zero's sign.
      constants.multiplier = piece.affine.multiplier;
      constants.multiplier.resize(lanes, 1.f);
      constants.addend = piece.affine.addend;
      constants.addend.resize(lanes, -0.f);
      constants.sign.assign(lanes, 0);
      for (size_t i = 0; i < lanes; ++i) {
        if (!std::signbit(constants.multiplier[i])) continue;
        constants.sign[i] = INT32_MIN;
        constants.multiplier[i] = -constants.multiplier[i];
      }
    }
    pieces_.push_back(std::move(constants));
  }
}

Status MaxPool2D::Resize(const Shape* inputs, Shape* outputs) {
  const Shape& in = inputs[0];
  for (size_t i = 0; i < pieces_.size(); ++i) {
    Shape whole = inputs[i];
    if (whole.rank != 4 || whole.last() != pieces_[i].channels) {
      return Status::Error("MaxPool2D: %d channels were expected. Received: %s",
                           pieces_[i].channels, whole.ToString().c_str());
    }
    whole.dims[3] = in.dims[3];
    if (!(whole == in)) {
      return Status::Error("MaxPool2D: %s and %s are not pieces of one image",
                           in.ToString().c_str(), inputs[i].ToString().c_str());
    }
  }
  WindowPlacement rows, columns;
  Status placed = PlaceWindow(params_.height, params_.padding, in.dims[1], &rows);
  if (placed.ok()) placed = PlaceWindow(params_.width, params_.padding, in.dims[2], &columns);
  if (!placed.ok()) return Status::Error("MaxPool2D: %s", placed.message().c_str());
  outputs[0] = Shape{4, {in.dims[0], rows.output, columns.output, channels_}};
  job_.output_pitch = channels_;
  job_.input_height = in.dims[1];
  job_.input_width = in.dims[2];
  job_.output_height = rows.output;
  job_.output_width = columns.output;
  job_.filter_height = params_.height.filter;
  job_.filter_width = params_.width.filter;
  job_.stride_height = params_.height.stride;
  job_.stride_width = params_.width.stride;
  job_.pad_top = static_cast<ptrdiff_t>(rows.before);
  job_.pad_left = static_cast<ptrdiff_t>(columns.before);
  job_.low = params_.low;
  job_.high = params_.high;
  rows_ = outputs[0].Rows() > 0 ? static_cast<size_t>(in.dims[0]) * static_cast<size_t>(rows.output)
                                : 0;
  return Status::Ok();
}

size_t MaxPool2D::ScratchBytes(int /*threads*/) const {
  return pieces_.size() * sizeof(MaxPoolPiece);
}

void MaxPool2D::Run(const Arguments& arguments) const {
  if (rows_ == 0) return;
  auto* const pieces = static_cast<MaxPoolPiece*>(arguments.scratch);
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Constants& constants = pieces_[i];
    const bool affine = !constants.sign.empty();
    pieces[i] = {static_cast<const float*>(arguments.inputs[i]),
                 constants.channels,
                 constants.first,
                 affine ? constants.sign.data() : nullptr,
                 constants.multiplier.data(),
                 constants.addend.data()};
  }
  MaxPoolJob job = job_;
  job.pieces = pieces;
  job.piece_count = static_cast<int>(pieces_.size());
  job.output = static_cast<float*>(arguments.outputs[0]);
  arguments.pool->ParallelFor(rows_, 1,
                              [&](size_t first, size_t last, int) { run_(job, first, last); });
}

}  // namespace tflbnn
