// From LCE's nodes to operations of ours, with everything in them checked.
#pragma once

#include <memory>

#include "core/cpu_features.h"
#include "core/operation.h"
#include "tflite/node.h"

namespace tflbnn {

// Whether the delegate is responsible for a node.
bool IsLceNode(const NodeReader& reader);

// An LceQuantize of float numbers, in order.
bool IsFloatQuantize(const NodeReader& reader);

// An LceBconv2d to float numbers.
bool IsFloatConvolution(const NodeReader& reader);

// Checks an LCE node and what it refers to; with `operation` set, builds it for the kernels of
// `isa`.
Status ReadLceOperation(const NodeReader& reader, Isa isa, std::unique_ptr<Operation>* operation);

}  // namespace tflbnn
