#pragma once

#include "core/bconv2d/params.h"
#include "core/tensor.h"

namespace tflbnn {

// The definition of the operation, and the judge of every kernel: one loop, never optimised.
// `input` and `output` have the shapes that BConv2D::Resize() saw and gave.
void BConv2DReference(const BConv2DParams& params, const BConv2DConstants& constants,
                      const Shape& input_shape, const Shape& output_shape, const uint32_t* input,
                      void* output);

}  // namespace tflbnn
