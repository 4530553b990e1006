// Fusion "batch_norm": a MUL and an ADD of constants, one for each channel, before LceQuantize need
// not be computed: the signs of the result are comparisons of the input with thresholds
// (core/quantize/affine_threshold.h).
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/cpu_features.h"
#include "core/operation.h"
#include "tflite/abi.h"

namespace tflbnn {

// What an LceQuantize node absorbs. Either of the two operations may be absent (-1).
struct BatchNorm {
  int mul = -1, add = -1;
  int source = -1;  // the tensor to compare
  std::vector<float> threshold;
  std::vector<bool> negate;
};

// By LceQuantize node, for those among `nodes` whose MUL and ADD are among `nodes`, too.
using BatchNorms = std::map<int, BatchNorm>;
BatchNorms FindBatchNorms(TfLiteContext* context, const std::vector<int>& nodes);

// Removes those whose intermediate results somebody else needs: a node that does not absorb them,
// or (as a preview of the partitioning tells) the outside of the partition. `plan` are all nodes,
// `claimed` those of the delegate without any batch normalisation.
Status KeepPrivate(TfLiteContext* context, const std::vector<int>& plan,
                   const std::vector<int>& claimed, BatchNorms* batch_norms);

// The nodes absorbed, without repetition.
std::vector<int> AbsorbedNodes(const BatchNorms& batch_norms);

}  // namespace tflbnn
