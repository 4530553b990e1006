// run_model model.tflite [input.raw]
//
// Runs a model through TFLite's C API with the delegate, and prints the time of an inference and
// the largest elements of each output. input.raw holds the bytes of the first input; without it all
// inputs are zero. With --raw FILE before the model, the bytes of the first output go there.
#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "tensorflow/lite/c/c_api.h"
#include "tflbnn_delegate.h"

namespace {

template <auto kDelete>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    kDelete(p);
  }
};
using Model = std::unique_ptr<TfLiteModel, Deleter<TfLiteModelDelete>>;
using Options = std::unique_ptr<TfLiteInterpreterOptions, Deleter<TfLiteInterpreterOptionsDelete>>;
using Delegate = std::unique_ptr<TfLiteDelegate, Deleter<tflbnn_delegate_destroy>>;
using Interpreter = std::unique_ptr<TfLiteInterpreter, Deleter<TfLiteInterpreterDelete>>;

int Fail(const std::string& what) {
  fprintf(stderr, "run_model: %s\n", what.c_str());
  return 1;
}

void PrintLargest(const TfLiteTensor* tensor, int count) {
  printf("%s:", TfLiteTensorName(tensor));
  if (TfLiteTensorType(tensor) != kTfLiteFloat32) {
    printf(" %zu bytes\n", TfLiteTensorByteSize(tensor));
    return;
  }
  std::vector<float> values(TfLiteTensorByteSize(tensor) / sizeof(float));
  TfLiteTensorCopyToBuffer(tensor, values.data(), values.size() * sizeof(float));
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  count = static_cast<int>(std::min<size_t>(static_cast<size_t>(count), order.size()));
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](size_t a, size_t b) { return values[a] > values[b]; });
  for (int i = 0; i < count; ++i)
    printf(" [%zu] %g", order[i], static_cast<double>(values[order[i]]));
  printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::string raw;
  if (argc > 2 && !strcmp(argv[1], "--raw")) {
    raw = argv[2];
    argv += 2;
    argc -= 2;
  }
  if (argc < 2 || argc > 3) return Fail("usage: run_model [--raw OUTPUT] model.tflite [input.raw]");

  const Model model(TfLiteModelCreateFromFile(argv[1]));
  if (!model) return Fail(std::string("cannot load the model ") + argv[1]);

  tflbnn_delegate_options delegate_options = tflbnn_delegate_default_options();
  delegate_options.num_threads = 1;
  const Delegate delegate(tflbnn_delegate_create(&delegate_options));
  if (!delegate) return Fail(tflbnn_delegate_last_error());

  const Options options(TfLiteInterpreterOptionsCreate());
  TfLiteInterpreterOptionsSetNumThreads(options.get(), 1);
  TfLiteInterpreterOptionsAddDelegate(options.get(), delegate.get());
  const Interpreter interpreter(TfLiteInterpreterCreate(model.get(), options.get()));
  if (!interpreter || TfLiteInterpreterAllocateTensors(interpreter.get()) != kTfLiteOk) {
    return Fail(std::string("cannot prepare the model. ") + tflbnn_delegate_last_error());
  }

  for (int i = 0; i < TfLiteInterpreterGetInputTensorCount(interpreter.get()); ++i) {
    TfLiteTensor* input = TfLiteInterpreterGetInputTensor(interpreter.get(), i);
    std::vector<char> bytes(TfLiteTensorByteSize(input));
    if (i == 0 && argc == 3) {
      std::ifstream file(argv[2], std::ios::binary);
      const std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
      if (!file || content.size() != bytes.size()) {
        return Fail(std::string(argv[2]) + " must hold the " + std::to_string(bytes.size()) +
                    " bytes of the first input. Received: " + std::to_string(content.size()));
      }
      bytes = content;
    }
    TfLiteTensorCopyFromBuffer(input, bytes.data(), bytes.size());
  }

  const auto start = std::chrono::steady_clock::now();
  if (TfLiteInterpreterInvoke(interpreter.get()) != kTfLiteOk) {
    return Fail(std::string("the model failed. ") + tflbnn_delegate_last_error());
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  printf("tflbnn %s on TensorFlow Lite %s, kernels %s: %.3f ms\n", tflbnn_delegate_version(),
         TfLiteVersion(), tflbnn_delegate_kernels(), took.count());
  for (int i = 0; i < TfLiteInterpreterGetOutputTensorCount(interpreter.get()); ++i) {
    PrintLargest(TfLiteInterpreterGetOutputTensor(interpreter.get(), i), 5);
  }
  if (!raw.empty()) {
    const TfLiteTensor* output = TfLiteInterpreterGetOutputTensor(interpreter.get(), 0);
    std::vector<char> bytes(TfLiteTensorByteSize(output));
    TfLiteTensorCopyToBuffer(output, bytes.data(), bytes.size());
    std::ofstream file(raw, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) return Fail("cannot write " + raw);
  }
  return 0;
}
