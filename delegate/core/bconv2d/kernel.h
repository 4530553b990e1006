// What the planner hands to a kernel: plain data only. The kernels are compiled with different
// instruction sets; an inline function in this header could be emitted with AVX-512 and be picked
// by the linker for everybody.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/epilogue/stage.h"

namespace tflbnn {

constexpr int kBlockChannels = 32;

// 32 output channels, fewer at the end of a group.
struct BConv2DBlock {
  int channel;     // first output channel
  int lanes;       // how many
  int input_word;  // first word of this group within an input pixel
};

enum class BConv2DOutput { kFloat32, kInt8, kBits };

struct BConv2DJob {
  // Input: dense bits, and as many zero words as a pixel has, which stand for padding with +1.
  const uint32_t* input;
  const uint32_t* zeros;
  ptrdiff_t image_words, row_words, pixel_words;
  int input_height, input_width;
  // The window, and where its taps lie relative to the first one.
  int filter_height, filter_width;
  int64_t stride_height, stride_width, dilation_height, dilation_width;  // products pass 32 bits
  int64_t pad_top, pad_left;
  bool inside;                  // no window sticks out of the input
  const ptrdiff_t* tap_offset;  // in words
  int taps, words;              // words of one tap and group
  // Output rows and columns by which taps fall on padding: class 0 has none. Null: all have none.
  const int32_t* row_class;
  const int32_t* column_class;
  int column_classes;
  const int32_t*
      correction;  // [row class][column class][block][32], added to the doubled count; or null
  // Weights in the kernel's own order, block after block.
  const uint8_t* weights;
  size_t block_bytes;
  const BConv2DBlock* blocks;
  int block_count;
  int first_block, last_block;  // these are computed
  // Output: int8 numbers and bits go to `output`, float numbers through the stages.
  BConv2DOutput output_type;
  const Stage* stages;
  int stage_count;
  void* output;
  int output_height, output_width;
  ptrdiff_t output_pitch;  // elements of a pixel
  bool clamp;
  int32_t low, high;
  const float* multiplier;  // [block][32], as the two below
  const float* bias;
  const int32_t* threshold;  // on the doubled count; unused lanes are never reached
  // Room in the caller's scratch memory: pointers for this many pixels, a multiple of the tile.
  int pointer_pixels;
};

constexpr int kMaxTilesPerBatch = 16;
constexpr size_t kGatheredEnd = 8;        // bytes
constexpr size_t kWeightsReadAhead = 64;  // bytes past the last weights that a kernel may load

// What a kernel wants of its input.
enum class BConv2DInput {
  kPlain,
  kPadded,  // a copy with the padding in it, if it has any
  // Likewise, and the second word of every two of a tap is the exclusive or of both, in the weights
  // and in the input alike.
  kPairs,
};

struct BConv2DKernel {
  const char* name;
  BConv2DInput input;
  int tile_pixels;
  size_t word_bytes;  // of packed weights for 32 input bits of 32 channels
  size_t
      gathered_word_bytes;  // of room for a word of a pixel in an order of the kernel's own; or 0
  void (*pack)(uint8_t* packed, const uint32_t* lanes);
  // Computes the output pixels [first, last), counted over the whole batch. `pointers` has room for
  // taps * pointer_pixels, behind
  // which lies the room for the gathered words of as many pixels and kGatheredEnd for each.
  void (*run)(const BConv2DJob& job, const uint32_t** pointers, size_t first, size_t last);
};

#define BCONV2D_KERNEL(isa, symbol) const BConv2DKernel& symbol();
#include "core/bconv2d/kernels.inc"
#undef BCONV2D_KERNEL

}  // namespace tflbnn
