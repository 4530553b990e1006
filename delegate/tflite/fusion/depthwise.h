#pragma once

#include "core/maxblur/maxblur.h"
#include "tflite/node.h"

namespace tflbnn {

// Reads a DEPTHWISE_CONV_2D of floats with one filter a channel; false for any other node.
bool ReadDepthwise(const NodeReader& node, MaxBlurParams* params);

}  // namespace tflbnn
