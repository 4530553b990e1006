// Included by kernel files only; everything has internal linkage, because these files are compiled
// with different instruction sets and the linker must not merge their functions.
#pragma once

#define TFLBNN_INLINE inline __attribute__((always_inline))
#define TFLBNN_LAMBDA __attribute__((always_inline))

namespace tflbnn {
namespace {

template <int I>
struct Int {
  static constexpr int value = I;
};

// A loop unrolled by the language. GCC unrolls marked loops only after scalar replacement has run,
// so an array of accumulators indexed in them would stay in memory.
template <int N, int I = 0, class Fn>
TFLBNN_INLINE void For(const Fn& fn) {
  if constexpr (I < N) {
    fn(Int<I>());
    For<N, I + 1>(fn);
  }
}

}  // namespace
}  // namespace tflbnn
