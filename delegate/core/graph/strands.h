// Which operations of a graph can run beside each other: the members of an ensemble, each a chain
// of its own from the image, or from what they share, to the votes.
#pragma once

#include <vector>

namespace tflbnn {

struct StepValues {
  const std::vector<int>* inputs;
  const std::vector<int>* outputs;
};

// Steps in the order of their execution, first to last.
using Strand = std::vector<int>;

struct Strands {
  Strand before;               // what several strands read
  std::vector<Strand> beside;  // none reads what another one writes
  Strand after;                // what reads several strands
};

// Fewer than two strands: all steps are in `before`. Branches that soon meet again, as within a
// network, are no strands.
Strands FindStrands(const std::vector<StepValues>& steps);

}  // namespace tflbnn
