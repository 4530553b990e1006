// tflbnn_seeds FOLDER [COUNT]: writes random inputs that run at least one invocation, for libFuzzer
// to start from.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "fuzz/scenario.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: tflbnn_seeds FOLDER [COUNT]\n");
    return 2;
  }
  const int count = argc > 2 ? atoi(argv[2]) : 500;
  std::mt19937 random(1);
  for (int written = 0; written < count;) {
    std::vector<uint8_t> bytes(64 + random() % 448);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    if (tflbnn::fuzz::RunScenario(bytes.data(), bytes.size()) == 0) continue;
    FILE* file =
        fopen((std::string(argv[1]) + "/" + std::to_string(written) + ".bin").c_str(), "wb");
    if (!file || fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size() || fclose(file)) {
      perror(argv[1]);
      return 1;
    }
    ++written;
  }
  return 0;
}
