#include "tests/testing.h"

namespace tflbnn::testing {
namespace {

bool quick = false;
int failures = 0;  // of the running test

}  // namespace

std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

void Fail(const char* file, int line, const std::string& what) {
  if (failures++ == 0) printf("%s:%d: %s\n", file, line, what.c_str());
}

bool Failed() { return failures > 0; }

int Trials(int n) { return quick ? (n + 19) / 20 : n; }

}  // namespace tflbnn::testing

int main(int argc, char** argv) {
  using namespace tflbnn::testing;
  std::vector<std::string> filters;
  for (int i = 1; i < argc; ++i) {
    if (!strcmp(argv[i], "--quick")) {
      quick = true;
    } else {
      filters.push_back(argv[i]);
    }
  }
  int run = 0, failed = 0;
  for (const Test& test : Tests()) {
    bool wanted = filters.empty();
    for (const std::string& filter : filters) wanted = wanted || strstr(test.name, filter.c_str());
    if (!wanted) continue;
    failures = 0;
    test.run();
    ++run;
    failed += Failed();
    printf("%s %s\n", Failed() ? "FAILED" : "ok    ", test.name);
    fflush(stdout);
  }
  printf("%d tests, %d failed\n", run, failed);
  return failed || run == 0;
}
