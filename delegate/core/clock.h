// How fast this processor's clock runs just now.
#pragma once

namespace tflbnn {

// Cycles of the core a second, from additions of registers that wait for each other, one a cycle on
// every core: the fastest of `trials` of about 1 µs each. 0 on an architecture unknown here.
double CyclesPerSecond(int trials);

}  // namespace tflbnn
