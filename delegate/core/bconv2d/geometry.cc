// Where the input's words lie, and which of them the windows meet.
#include <algorithm>
#include <climits>
#include <cstring>

#include "core/bconv2d/bconv2d.h"
#include "core/bconv2d/zero_padding.h"

namespace tflbnn {
namespace {

constexpr int64_t kGatheredTogether = 16384;  // bytes, in the first cache beside the weights
constexpr int64_t kMaxCopiedPadding = 16;     // pixels, besides as many as the image has

}  // namespace

void BConv2D::PlaceInput(const WindowPlacement& rows, const WindowPlacement& columns) {
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
  job_.inside = params_.padding == Padding::kValid;
  copy_words_ = 0;
  const bool pairs = kernel_->input == BConv2DInput::kPairs && job_.words > 1;
  const bool padded = kernel_->input != BConv2DInput::kPlain && params_.padding == Padding::kSame;
  if (!pairs && !padded) return;
  // There may be far too much padding to copy.
  const auto extent = [](const Window& window, const WindowPlacement& placement, int64_t size) {
    const int64_t last = (int64_t{placement.output} - 1) * window.stride;
    return std::max(placement.before + size,
                    last + (int64_t{window.filter} - 1) * window.dilation + 1);
  };
  const int64_t height = extent(params_.height, rows, job_.input_height),
                width = extent(params_.width, columns, job_.input_width);
  const int64_t most = std::min<int64_t>(
      2 * int64_t{job_.input_height} * job_.input_width + kMaxCopiedPadding, INT_MAX);
  if (height <= most && width <= most / height) {
    job_.inside = true;
    job_.input_height = static_cast<int>(height);
    job_.input_width = static_cast<int>(width);
    job_.row_words = job_.pixel_words * width;
    job_.image_words = job_.row_words * height;
    job_.pad_top = job_.pad_left = 0;
    copied_top_ = rows.before;
    copied_left_ = columns.before;
  } else {
    copied_top_ = copied_left_ = 0;
  }
  if (pairs || job_.inside)
    copy_words_ = static_cast<size_t>(input_.dims[0]) * static_cast<size_t>(job_.image_words);
}

// Zeros around every image; for pairs, the second word of every two of a group replaced by the
// exclusive or of both. Rows [first, last) of the copy, counted over the whole batch.
void BConv2D::CopyInput(const uint32_t* input, uint32_t* copy, size_t first, size_t last) const {
  const ptrdiff_t row = job_.pixel_words * input_.dims[2], left = copied_left_ * job_.pixel_words;
  const ptrdiff_t image_rows = job_.image_words / job_.row_words;
  for (auto at = static_cast<ptrdiff_t>(first); at < static_cast<ptrdiff_t>(last); ++at) {
    uint32_t* to = copy + at * job_.row_words;
    memset(to, 0, static_cast<size_t>(job_.row_words) * sizeof(uint32_t));
    const ptrdiff_t y = at % image_rows - copied_top_;
    if (y < 0 || y >= input_.dims[1]) continue;
    to += left;
    const uint32_t* from = input + (at / image_rows * input_.dims[1] + y) * row;
    if (kernel_->input == BConv2DInput::kPairs && job_.words % 2 == 0) {
      for (ptrdiff_t i = 0; i < row; i += 2) {
        to[i] = from[i];
        to[i + 1] = from[i] ^ from[i + 1];
      }
      continue;
    }
    memcpy(to, from, static_cast<size_t>(row) * sizeof(uint32_t));
    if (kernel_->input != BConv2DInput::kPairs) continue;
    for (ptrdiff_t group = 0; group < row; group += job_.words) {
      for (ptrdiff_t i = group; i + 1 < group + job_.words; i += 2) to[i + 1] ^= from[i];
    }
  }
}

// Of a pixel.
size_t BConv2D::GatheredBytes() const {
  if (kernel_->gathered_word_bytes == 0) return 0;
  return static_cast<size_t>(job_.taps) * static_cast<size_t>(job_.words) *
             kernel_->gathered_word_bytes +
         kGatheredEnd;
}

void BConv2D::PlaceTaps() {
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
  int64_t tiles = std::min<int64_t>(kMaxTilesPerBatch, 8192 / tile);
  if (GatheredBytes() > 0) {
    const auto bytes = static_cast<int64_t>(GatheredBytes()) * kernel_->tile_pixels;
    tiles = std::min(tiles, kGatheredTogether / bytes);
  }
  tiles = std::max<int64_t>(1, tiles);
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
  const auto row_ranges = ClassifyPositions(params_.height, rows, input_.dims[1], &row_class_);
  const auto column_ranges =
      ClassifyPositions(params_.width, columns, input_.dims[2], &column_class_);
  job_.row_class = row_class_.data();
  job_.column_class = column_class_.data();
  job_.column_classes = static_cast<int>(column_ranges.size());
  if (!params_.zero_padding) return Status::Ok();
  TFLBNN_RETURN_IF_ERROR(
      MakeZeroPaddingTable(params_, blocks_, tap_counts_, row_ranges, column_ranges, &correction_));
  job_.correction = correction_.as<int32_t>();
  return Status::Ok();
}

}  // namespace tflbnn
