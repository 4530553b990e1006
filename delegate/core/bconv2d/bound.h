// The most binary multiply-accumulates that a kernel's instructions allow a core in a cycle.
#pragma once

namespace tflbnn {

// avx512  xor, vpopcnt and add of 512 bits on two pipes: 512 / 1.5.
// avx2    two lookups (pshufb) of 128 products a cycle, the additions on other pipes.
// neon    eor, cnt and add of 128 bits on two pipes (Cortex-A72 to A78): 128 / 1.5. Cores with four
//         pipes (Cortex-X, Apple) may pass it, in-order ones reach half.
// 0 for the others: compilers differ too much in what they make of them.
double BoundMacsPerCycle(const char* kernel);

}  // namespace tflbnn
