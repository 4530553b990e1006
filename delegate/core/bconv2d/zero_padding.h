// SAME padding: which taps of a window fall on it, and what zeros there are worth.
#pragma once

#include <vector>

#include "core/aligned_buffer.h"
#include "core/bconv2d/kernel.h"
#include "core/bconv2d/params.h"

namespace tflbnn {

// The taps of a window that lie inside the input, along one axis: [begin, end).
struct TapRange {
  int begin, end;
};

// Numbers the positions of a window along one axis by their taps inside; range 0 is "all".
std::vector<TapRange> ClassifyPositions(const Window& window, const WindowPlacement& placement,
                                        int input, std::vector<int32_t>* classes);

// What zero padding adds to the doubled counts, [row range][column range][block][32].
// `tap_counts` are the set bits of each filter's taps, [channel][tap].
Status MakeZeroPaddingTable(const BConv2DParams& params, const std::vector<BConv2DBlock>& blocks,
                            const std::vector<int32_t>& tap_counts,
                            const std::vector<TapRange>& rows, const std::vector<TapRange>& columns,
                            AlignedBuffer* table);

}  // namespace tflbnn
