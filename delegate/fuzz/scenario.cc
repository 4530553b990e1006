#include "fuzz/scenario.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "c/tflbnn_delegate.h"
#include "fuzz/model.h"

namespace tflbnn::fuzz {
namespace {

struct Result {
  std::string trace;  // what happened, and the outputs
  int invocations = 0;
  bool out_of_memory = false;
};

void Record(Host* host, std::string* trace) {
  for (int output : host->outputs) {
    const TfLiteTensor& tensor = host->tensor(output);
    if (!tensor.data) continue;
    std::string bytes(static_cast<const char*>(tensor.data), tensor.bytes);
    // Which NaN an operation gives is the processor's choice.
    for (size_t i = 0; tensor.type == kTfLiteFloat32 && i + 4 <= bytes.size(); i += 4) {
      float value;
      memcpy(&value, &bytes[i], 4);
      if (std::isnan(value)) bytes.replace(i, 4, "NaN ");
    }
    *trace += bytes;
  }
}

Result Run(Bytes bytes, bool reference) {
  std::vector<const char*> keys, values;
  auto option = [&](const char* key, const char* value) {
    keys.push_back(key);
    values.push_back(value);
  };
  const char* const kernel = bytes.Pick<const char*>({"auto", "scalar", "avx2", "neon"});
  option("kernel", reference ? "reference" : kernel);
  // The scalar kernels take no convolutions of floats; the reference does.
  const char* const most = strcmp(kernel, "scalar") ? "all" : "-conv2d,-depthwise";
  const char* const fusion = bytes.Pick<const char*>({most, most, "none"});
  option("fusion", fusion);
  const int threads = bytes.Pick<int>({1, 1, 1, 1, 1, 2, 3, 0});
  const std::string text = std::to_string(threads);
  if (threads > 0) option("num_threads", text.c_str());

  Result result;
  TfLiteDelegate* delegate =
      tflite_plugin_create_delegate(keys.data(), values.data(), keys.size(), nullptr);
  if (!delegate) {  // a kernel of another processor
    values[0] = "auto";
    delegate = tflite_plugin_create_delegate(keys.data(), values.data(), keys.size(), nullptr);
    if (!delegate) abort();
  }
  auto step = [&](char what, TfLiteStatus status) {
    result.trace += what;
    result.trace += static_cast<char>('0' + status);
    if (status != kTfLiteOk && strstr(tflbnn_delegate_last_error(), "no memory"))
      result.out_of_memory = true;
    return status == kTfLiteOk;
  };
  {
    Host host;
    ReadModel(&bytes, &host);
    const bool destroy_early = bytes.OneIn(4);
    const bool applied = step('d', host.ApplyDelegate(delegate));
    if (destroy_early) {
      tflite_plugin_destroy_delegate(delegate);
      delegate = nullptr;
    }
    if (applied && step('a', host.Allocate())) {
      if (step('i', host.Invoke())) {
        ++result.invocations;
        Record(&host, &result.trace);
      }
    }
    for (int steps = applied ? bytes.Between(0, 5) : 0; steps > 0; --steps) {
      const int input = host.inputs[bytes.Byte() % host.inputs.size()];
      const TfLiteIntArray& present = *host.tensor(input).dims;
      std::vector<int> dims(present.data, present.data + present.size);
      switch (bytes.Between(0, 3)) {
        case 0:
          for (size_t i = 0; i + 1 < dims.size(); ++i)
            dims[i] = bytes.OneIn(16) ? bytes.AnyInt() : bytes.Between(0, 9);
          step('r', host.ResizeInput(input, dims));
          step('a', host.Allocate());
          break;
        case 1:
          if (!dims.empty()) dims[bytes.Byte() % dims.size()] = bytes.AnyInt();
          if (bytes.OneIn(8)) dims.resize(bytes.Between(0, 10), 1);
          step('r', host.ResizeInput(input, dims));
          break;
        case 2:
          step('a', host.Allocate());
          break;
        default:
          if (step('i', host.Invoke())) {
            ++result.invocations;
            Record(&host, &result.trace);
          }
      }
    }
  }
  tflite_plugin_destroy_delegate(delegate);
  return result;
}

}  // namespace

int RunScenario(const uint8_t* data, size_t size) {
  const Result got = Run(Bytes(data, size), false), want = Run(Bytes(data, size), true);
  // How much memory is too much is each kernel's own affair.
  if (got.out_of_memory || want.out_of_memory) return got.invocations;
  if (got.trace != want.trace) {
    size_t at = 0;
    while (at < got.trace.size() && at < want.trace.size() && got.trace[at] == want.trace[at]) ++at;
    fprintf(stderr, "the kernels differ from the reference at byte %zu of %zu and %zu\n", at,
            got.trace.size(), want.trace.size());
    abort();
  }
  return got.invocations;
}

}  // namespace tflbnn::fuzz
