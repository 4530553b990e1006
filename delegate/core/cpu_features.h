// What this processor can execute, and the kernel sets a user can choose from.
#pragma once

#include <string>

namespace tflbnn {

// In rising order of what a processor must have; a choice stands for "this and what lies below it",
// so that an operation without a kernel of its own for a set runs the next simpler one.
enum class Isa { kReference, kScalar, kNeon, kAvx2, kAvx512 };

constexpr Isa kAllIsas[] = {Isa::kAvx512, Isa::kAvx2, Isa::kNeon, Isa::kScalar, Isa::kReference};

const char* IsaName(Isa isa);
bool CpuSupports(Isa isa);
Isa BestIsa();

// Comma-separated names of the instruction set extensions that matter here, as the processor
// reports them.
std::string CpuFeatureNames();

}  // namespace tflbnn
