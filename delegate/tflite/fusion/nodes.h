// What the fusions ask about TFLite's nodes.
#pragma once

#include <vector>

#include "tflite/node.h"

namespace tflbnn {

// A built-in operation with so many inputs, the first of which must be present, and one output.
bool IsBuiltin(const NodeReader& node, int code, int inputs, int present);
inline bool IsBuiltin(const NodeReader& node, int code, int inputs) {
  return IsBuiltin(node, code, inputs, inputs);
}
bool IsConstant(const TfLiteTensor& tensor);
bool IsFloat(const TfLiteTensor& tensor);  // not a constant; with a last axis
bool SameDims(const TfLiteTensor& a, const TfLiteTensor& b);
// Elements of a constant, one a channel: of as many, or one for all. Empty if it is neither.
std::vector<float> ChannelConstants(const TfLiteTensor& constant, const TfLiteTensor& x);
// The shape of a constant of floats that are all there.
bool ConstantFloats(const TfLiteTensor& tensor, Shape* shape);
std::vector<float> Floats(const TfLiteTensor& constant);  // its elements

// Those of a fused activation, kTfLiteAct...; false for an unknown one.
bool ReadLimits(int activation, Limits* limits);
// The first field of the options of MUL and ADD: kTfLiteAct...
int FusedActivation(const NodeReader& node);

// y = x (op) constant, one a channel: the numbers of the two inputs.
bool IsChannelwise(const NodeReader& node, int code, int* x, int* constant);

}  // namespace tflbnn
