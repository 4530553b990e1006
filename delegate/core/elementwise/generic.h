// Rows of numbers through the stages, for every instruction set. V is a simd/ description.
#pragma once

#include "core/elementwise/kernel.h"
#include "core/epilogue/generic.h"

namespace tflbnn {
namespace {

template <class V>
struct ElementwiseGeneric {
  using E = EpilogueGeneric<V>;
  static constexpr int kRows = V::kLanes >= 8 ? 4 : 1;

  template <int P>
  static void Rows(const ElementwiseJob& job, size_t first) {
    ptrdiff_t row[P];
    For<P>([&](auto p) TFLBNN_LAMBDA { row[p.value] = static_cast<ptrdiff_t>(first) + p.value; });
    for (int channel = 0; channel < job.channels; channel += 32) {
      const int lanes = job.channels - channel < 32 ? job.channels - channel : 32;
      typename V::F y[P][E::kVectors];
      For<P>([&](auto p) TFLBNN_LAMBDA {
        E::Load(y[p.value], job.input + row[p.value] * job.channels + channel, lanes);
      });
      E::template Run<P>(job.stages, job.stage_count, row, channel, lanes, y);
    }
  }

  static void Run(const ElementwiseJob& job, size_t first, size_t last) {
    for (; first + kRows <= last; first += kRows) Rows<kRows>(job, first);
    for (; first < last; ++first) Rows<1>(job, first);
  }
};

}  // namespace
}  // namespace tflbnn
