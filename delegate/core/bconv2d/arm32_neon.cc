#include "core/bconv2d/neon.h"

namespace tflbnn {
namespace {

// Half as many registers as in 64-bit mode, hence half the tile.
struct Arm32BConv2D : NeonBConv2D {
  static constexpr int kTilePixels = 1, kTileBlocks = 1;
};

}  // namespace

const BConv2DKernel& BConv2DNeon() {
  using V = Arm32BConv2D;
  static const BConv2DKernel kernel = {
      "neon",  BConv2DInput::kPlain,  V::kTilePixels, V::kWordBytes, /*gathered_word_bytes=*/0,
      V::Pack, BConv2DGeneric<V>::Run};
  return kernel;
}

}  // namespace tflbnn
