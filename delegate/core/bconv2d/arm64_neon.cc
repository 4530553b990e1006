#include "core/bconv2d/neon.h"

namespace tflbnn {
namespace {

struct Arm64BConv2D : NeonBConv2D {
  static constexpr int kTilePixels = 2, kTileBlocks = 1;

  // Where a tile's next word comes from.
  struct Position {
    const uint32_t* const* pointers;  // of the tap, one for each pixel
    const uint32_t *pixel0, *pixel1;  // the word
    ptrdiff_t words, taps;            // left, the present ones included
    const uint8_t* weights;
  };

  // Counts `count` words, 31 at most, into sixteen vectors of bytes. Assembly, because the order of
  // the instructions matters: cores that execute in order wait where a fast one follows a slow one,
  // so each kind stands together; the weights that come next are loaded between the additions (past
  // the last ones, too), and the next words are broadcast from general registers, which on most
  // cores takes no vector pipe, before them.
  //
  // v0-v15 counts, v16-v17 the pixels' words, v18-v21 weights, v24-v31 products
  static TFLBNN_INLINE void CountWords(Position* at, ptrdiff_t count, ptrdiff_t tap_words,
                                       ptrdiff_t tap_offset, uint8_t* bytes) {
#define TFLBNN_PRODUCTS             \
  "eor v24.16b, v18.16b, v16.16b\n" \
  "eor v25.16b, v19.16b, v16.16b\n" \
  "eor v26.16b, v20.16b, v16.16b\n" \
  "eor v27.16b, v21.16b, v16.16b\n" \
  "eor v28.16b, v18.16b, v17.16b\n" \
  "eor v29.16b, v19.16b, v17.16b\n" \
  "eor v30.16b, v20.16b, v17.16b\n" \
  "eor v31.16b, v21.16b, v17.16b\n" \
  "cnt v24.16b, v24.16b\n"          \
  "cnt v25.16b, v25.16b\n"          \
  "cnt v26.16b, v26.16b\n"          \
  "cnt v27.16b, v27.16b\n"          \
  "cnt v28.16b, v28.16b\n"          \
  "cnt v29.16b, v29.16b\n"          \
  "cnt v30.16b, v30.16b\n"          \
  "cnt v31.16b, v31.16b\n"
    asm volatile(
        "movi v0.16b, #0\n movi v1.16b, #0\n movi v2.16b, #0\n movi v3.16b, #0\n"
        "movi v4.16b, #0\n movi v5.16b, #0\n movi v6.16b, #0\n movi v7.16b, #0\n"
        "movi v8.16b, #0\n movi v9.16b, #0\n movi v10.16b, #0\n movi v11.16b, #0\n"
        "movi v12.16b, #0\n movi v13.16b, #0\n movi v14.16b, #0\n movi v15.16b, #0\n"
        "ldr w16, [%[pixel0]]\n"
        "ldr w17, [%[pixel1]]\n"
        "ldp q18, q19, [%[weights]]\n"
        "ldp q20, q21, [%[weights], #32]\n"
        "dup v16.4s, w16\n"
        "dup v17.4s, w17\n"
        "1:\n"
        "subs %[words], %[words], #1\n"
        "b.eq 3f\n"
        "add %[pixel0], %[pixel0], #4\n"
        "add %[pixel1], %[pixel1], #4\n"
        "2:\n"  //
        TFLBNN_PRODUCTS
        "add v0.16b, v0.16b, v24.16b\n"
        "ldr w16, [%[pixel0]]\n"
        "add v1.16b, v1.16b, v25.16b\n"
        "ldr w17, [%[pixel1]]\n"
        "add v2.16b, v2.16b, v26.16b\n"
        "ldr q18, [%[weights], #64]\n"
        "add v3.16b, v3.16b, v27.16b\n"
        "ldr q19, [%[weights], #80]\n"
        "add v8.16b, v8.16b, v28.16b\n"
        "ldr q20, [%[weights], #96]\n"
        "add v9.16b, v9.16b, v29.16b\n"
        "ldr q21, [%[weights], #112]\n"
        "add v10.16b, v10.16b, v30.16b\n"
        "add v11.16b, v11.16b, v31.16b\n"  //
        TFLBNN_PRODUCTS
        "dup v16.4s, w16\n"
        "dup v17.4s, w17\n"
        "add v4.16b, v4.16b, v24.16b\n"
        "ldr q18, [%[weights], #128]\n"
        "add v5.16b, v5.16b, v25.16b\n"
        "ldr q19, [%[weights], #144]\n"
        "add v6.16b, v6.16b, v26.16b\n"
        "ldr q20, [%[weights], #160]\n"
        "add v7.16b, v7.16b, v27.16b\n"
        "ldr q21, [%[weights], #176]\n"
        "add v12.16b, v12.16b, v28.16b\n"
        "add v13.16b, v13.16b, v29.16b\n"
        "add v14.16b, v14.16b, v30.16b\n"
        "add v15.16b, v15.16b, v31.16b\n"
        "add %[weights], %[weights], #128\n"
        "subs %[count], %[count], #1\n"
        "b.ne 1b\n"
        "b 4f\n"
        "3:\n"  // the next tap; after the last one the same word again
        "subs %[taps], %[taps], #1\n"
        "b.eq 2b\n"
        "ldp %[pixel0], %[pixel1], [%[pointers], #16]!\n"
        "mov %[words], %[tap_words]\n"
        "add %[pixel0], %[pixel0], %[tap_offset]\n"
        "add %[pixel1], %[pixel1], %[tap_offset]\n"
        "b 2b\n"
        "4:\n"
        "stp q0, q1, [%[bytes]]\n"
        "stp q2, q3, [%[bytes], #32]\n"
        "stp q4, q5, [%[bytes], #64]\n"
        "stp q6, q7, [%[bytes], #96]\n"
        "stp q8, q9, [%[bytes], #128]\n"
        "stp q10, q11, [%[bytes], #160]\n"
        "stp q12, q13, [%[bytes], #192]\n"
        "stp q14, q15, [%[bytes], #224]\n"
        : [pointers] "+r"(at->pointers), [pixel0] "+r"(at->pixel0), [pixel1] "+r"(at->pixel1),
          [words] "+r"(at->words), [taps] "+r"(at->taps), [weights] "+r"(at->weights),
          [count] "+r"(count)
        : [tap_words] "r"(tap_words), [tap_offset] "r"(tap_offset), [bytes] "r"(bytes)
        : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
          "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v24", "v25", "v26", "v27", "v28",
          "v29", "v30", "v31", "x16", "x17", "cc", "memory");
#undef TFLBNN_PRODUCTS
  }

  static TFLBNN_INLINE void CountTile(const BConv2DJob& job, const uint32_t* const* pointers,
                                      const uint8_t* weights, ptrdiff_t first, Accumulator* a) {
    Position at{pointers, pointers[0] + first, pointers[1] + first, job.words, job.taps, weights};
    alignas(16) uint8_t bytes[256];
    for (ptrdiff_t left = static_cast<ptrdiff_t>(job.taps) * job.words; left > 0;
         left -= kWordsPerFlush) {
      CountWords(&at, left < kWordsPerFlush ? left : kWordsPerFlush, job.words, 4 * first, bytes);
      For<16>([&](auto i) TFLBNN_LAMBDA {
        a[i.value].bytes = vld1q_u8(bytes + 16 * i.value);
        Flush(a[i.value]);
      });
    }
  }
};

}  // namespace

const BConv2DKernel& BConv2DNeon() {
  using V = Arm64BConv2D;
  static const BConv2DKernel kernel = {
      "neon",  BConv2DInput::kPlain,  V::kTilePixels, V::kWordBytes, /*gathered_word_bytes=*/0,
      V::Pack, BConv2DGeneric<V>::Run};
  return kernel;
}

}  // namespace tflbnn
