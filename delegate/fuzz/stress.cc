// tflbnn_stress [THREADS] [ROUNDS]: threads create, resize, invoke and destroy interpreters in
// random order, with delegates of their own and with one that all share.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "c/tflbnn_delegate.h"
#include "fuzz/model.h"

namespace tflbnn::fuzz {
namespace {

struct DestroyDelegate {
  void operator()(TfLiteDelegate* delegate) const { tflite_plugin_destroy_delegate(delegate); }
};
using Delegate = std::shared_ptr<TfLiteDelegate>;

Delegate Create(const char* threads) {
  const char* key = "num_threads";
  return Delegate(tflite_plugin_create_delegate(&key, &threads, 1, nullptr), DestroyDelegate());
}

struct Interpreter {
  Delegate delegate;  // destroyed after the host, or before it where it was given up
  Host host;
  bool allocated = false;
};

class Worker {
 public:
  Worker(unsigned seed, Delegate shared) : random_(seed), shared_(std::move(shared)) {}

  void Step() {
    const size_t at = random_() % kInterpreters;
    std::unique_ptr<Interpreter>& interpreter = interpreters_[at];
    switch (interpreter ? random_() % 8 : 0) {
      case 0:
        interpreter = Make();
        break;
      case 1:
        interpreter.reset();
        break;
      case 2:
      case 3: {
        const int input = interpreter->host.inputs[0];
        const TfLiteIntArray& present = *interpreter->host.tensor(input).dims;
        std::vector<int> dims(present.data, present.data + present.size);
        for (size_t i = 0; i + 1 < dims.size(); ++i) dims[i] = static_cast<int>(random_() % 8);
        interpreter->allocated = interpreter->host.ResizeInput(input, dims) == kTfLiteOk &&
                                 interpreter->host.Allocate() == kTfLiteOk;
        break;
      }
      case 4:
        interpreter->delegate.reset();  // an interpreter may outlive its delegate
        break;
      default:
        if (interpreter->allocated) invocations += interpreter->host.Invoke() == kTfLiteOk;
    }
  }
  long invocations = 0;

 private:
  static constexpr size_t kInterpreters = 4;

  // Tries until a model is a sensible one.
  std::unique_ptr<Interpreter> Make() {
    static constexpr const char* kThreads[] = {"1", "2", "4"};
    for (;;) {
      auto made = std::make_unique<Interpreter>();
      made->delegate = random_() % 2 ? shared_ : Create(kThreads[random_() % 3]);
      std::vector<uint8_t> bytes(256);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
      Bytes source(bytes.data(), bytes.size());
      ReadModel(&source, &made->host);
      made->allocated = made->host.ApplyDelegate(made->delegate.get()) == kTfLiteOk &&
                        made->host.Allocate() == kTfLiteOk;
      if (made->allocated) return made;
    }
  }

  std::mt19937 random_;
  Delegate shared_;
  std::unique_ptr<Interpreter> interpreters_[kInterpreters];
};

}  // namespace
}  // namespace tflbnn::fuzz

int main(int argc, char** argv) {
  using namespace tflbnn::fuzz;
  const unsigned threads = argc > 1 ? static_cast<unsigned>(atoi(argv[1])) : 8;
  const int rounds = argc > 2 ? atoi(argv[2]) : 1000;
  std::atomic<long> invocations{0};
  {
    const Delegate shared = Create("3");
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        Worker worker(i + 1, shared);
        for (int round = 0; round < rounds; ++round) worker.Step();
        invocations += worker.invocations;
      });
    }
    for (std::thread& worker : workers) worker.join();
  }
  printf("%u threads, %d steps each, %ld invocations\n", threads, rounds, invocations.load());
  return invocations == 0;
}
