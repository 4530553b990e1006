// libFuzzer's entry. With TFLBNN_FUZZ_STATISTICS set it says at the end how many inputs ran a
// graph.
#include <cstdio>
#include <cstdlib>

#include "fuzz/scenario.h"

namespace {

struct Statistics {
  long inputs = 0, ran = 0, invocations = 0;
  ~Statistics() {
    if (getenv("TFLBNN_FUZZ_STATISTICS"))
      fprintf(stderr, "%ld inputs, %ld of them ran, %ld invocations compared\n", inputs, ran,
              invocations);
  }
} statistics;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int invocations = tflbnn::fuzz::RunScenario(data, size);
  ++statistics.inputs;
  statistics.ran += invocations > 0;
  statistics.invocations += invocations;
  return 0;
}
