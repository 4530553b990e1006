// Where a sliding window of a convolution or pooling lies along one axis.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/status.h"

namespace tflbnn {

enum class Padding { kSame, kValid };

struct Window {
  int filter = 1, stride = 1, dilation = 1;
};

struct WindowPlacement {
  int output = 0;      // positions of the window
  int64_t before = 0;  // padding before the first element
};

// TensorFlow's rule: SAME places ceil(input / stride) windows and puts the odd element of padding
// last; VALID places only windows that lie inside.
inline Status PlaceWindow(const Window& window, Padding padding, int input,
                          WindowPlacement* placement) {
  const int64_t extent = int64_t{window.filter - 1} * window.dilation + 1;
  if (padding == Padding::kValid) {
    if (input < extent) {
      return Status::Error(
          "VALID padding needs an input of at least %lld elements along each axis of the window. "
          "Received: %d",
          static_cast<long long>(extent), input);
    }
    *placement = {static_cast<int>((input - extent) / window.stride + 1), 0};
    return Status::Ok();
  }
  const int output = static_cast<int>((int64_t{input} + window.stride - 1) / window.stride);
  const int64_t total = int64_t{output - 1} * window.stride + extent - input;
  *placement = {output, output > 0 ? std::max<int64_t>(0, total) / 2 : 0};
  return Status::Ok();
}

// Tells a kernel's job what its windows are and where they lie.
template <class Job>
void SetWindows(const Window& height, const Window& width, const WindowPlacement& rows,
                const WindowPlacement& columns, Job* job) {
  job->output_height = rows.output;
  job->output_width = columns.output;
  job->filter_height = height.filter;
  job->filter_width = width.filter;
  job->stride_height = height.stride;
  job->stride_width = width.stride;
  job->pad_top = static_cast<ptrdiff_t>(rows.before);
  job->pad_left = static_cast<ptrdiff_t>(columns.before);
}

}  // namespace tflbnn
