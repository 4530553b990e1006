#include "core/clock.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tflbnn {

double CyclesPerSecond(int trials) {
  double best = 0;
#if defined(__x86_64__) || defined(__aarch64__)
  using Clock = std::chrono::steady_clock;
  for (int trial = 0; trial < trials; ++trial) {
    constexpr int kRounds = 500;
    const auto before = Clock::now(), start = Clock::now();
    // Not of constants, which some cores add while they rename registers.
    uint64_t x = 1, y = 3;
    for (int i = 0; i < kRounds; ++i) {
#if defined(__x86_64__)
      asm volatile("add %1,%0\nadd %1,%0\nadd %1,%0\nadd %1,%0\nadd %1,%0" : "+r"(x) : "r"(y));
#else
      asm volatile("add %0,%0,%1\nadd %0,%0,%1\nadd %0,%0,%1\nadd %0,%0,%1\nadd %0,%0,%1"
                   : "+r"(x)
                   : "r"(y));
#endif
    }
    // But for reading the time.
    const std::chrono::duration<double> took = (Clock::now() - start) - (start - before);
    best = std::max(best, 5. * kRounds / took.count());
  }
#else
  (void)trials;
#endif
  return best;
}

}  // namespace tflbnn
