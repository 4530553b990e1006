#include "core/bconv2d/zero_padding.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tflbnn {

std::vector<TapRange> ClassifyPositions(const Window& window, const WindowPlacement& placement,
                                        int input, std::vector<int32_t>* classes) {
  std::vector<TapRange> ranges{{0, window.filter}};
  std::map<std::pair<int, int>, int32_t> known{{{0, window.filter}, 0}};
  classes->clear();
  const int64_t extent = (int64_t{window.filter} - 1) * window.dilation + 1;
  const int64_t stride = window.stride;
  // The positions whose windows lie inside, most of them in a usual image.
  const int64_t inside = (placement.before + stride - 1) / stride;
  const int64_t outside =
      input + placement.before < extent ? inside : (input + placement.before - extent) / stride + 1;
  for (int position = 0; position < placement.output; ++position) {
    if (position >= inside && position < outside) {
      classes->push_back(0);
      continue;
    }
    const int64_t first = int64_t{position} * window.stride - placement.before;
    const int64_t d = window.dilation, filter = window.filter;
    const int64_t begin = std::min(filter, first < 0 ? (-first + d - 1) / d : 0);
    const int64_t end =
        first >= input ? begin : std::max(begin, std::min(filter, (input - 1 - first) / d + 1));
    const TapRange range{static_cast<int>(begin), static_cast<int>(end)};
    const auto [entry, added] =
        known.insert({{range.begin, range.end}, static_cast<int32_t>(ranges.size())});
    if (added) ranges.push_back(range);
    classes->push_back(entry->second);
  }
  return ranges;
}

// The kernels read zero bits outside the image, that is +1, and count the set bits c of the
// filter's tap. The doubled count should have gained the tap's n channels instead of 2 c: each such
// tap is worth n - 2 c. The sum over the taps outside is the sum over all less that over the
// rectangle inside, which a table of sums over [0, y) x [0, x) gives at once.
Status MakeZeroPaddingTable(const BConv2DParams& params, const std::vector<BConv2DBlock>& blocks,
                            const std::vector<int32_t>& tap_counts,
                            const std::vector<TapRange>& rows, const std::vector<TapRange>& columns,
                            AlignedBuffer* table) {
  const size_t lanes = blocks.size() * kBlockChannels;
  const uint64_t count = uint64_t{rows.size()} * columns.size() * lanes;
  if (count > kMaxTensorBytes / 4 || !table->AllocateZeroed(static_cast<size_t>(count) * 4)) {
    return Status::Error("no memory for the correction of zero padding");
  }
  const int height = params.height.filter, width = params.width.filter;
  const size_t pitch = static_cast<size_t>(width) + 1;
  std::vector<int32_t> sums((static_cast<size_t>(height) + 1) * pitch, 0);
  auto sum = [&](int y, int x) -> int32_t& {
    return sums[static_cast<size_t>(y) * pitch + static_cast<size_t>(x)];
  };
  for (size_t block = 0; block < blocks.size(); ++block) {
    for (int lane = 0; lane < blocks[block].lanes; ++lane) {
      const ptrdiff_t channel = blocks[block].channel + lane;
      const int32_t* count_of_tap = tap_counts.data() + channel * params.taps();
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const int32_t worth = params.channels_per_group() - 2 * *count_of_tap++;
          sum(y + 1, x + 1) = sum(y, x + 1) + sum(y + 1, x) - sum(y, x) + worth;
        }
      }
      int32_t* at = table->as<int32_t>() + block * kBlockChannels + static_cast<size_t>(lane);
      for (const TapRange& row : rows) {
        for (const TapRange& column : columns) {
          const int32_t inside = sum(row.end, column.end) - sum(row.begin, column.end) -
                                 sum(row.end, column.begin) + sum(row.begin, column.begin);
          *at = sum(height, width) - inside;
          at += lanes;
        }
      }
    }
  }
  return Status::Ok();
}

}  // namespace tflbnn
