#include "c/tflbnn_delegate.h"

#include <cstdio>
#include <mutex>
#include <string>

#include "core/cpu_features.h"
#include "tflite/delegate.h"
#include "tflite/options.h"

namespace {

struct LastError {
  std::mutex mutex;
  char text[512] = "";
};

LastError& TheLastError() {
  static LastError error;
  return error;
}

TfLiteDelegate* Create(const char* const* keys, const char* const* values, size_t count,
                       void (*report_error)(const char*)) {
  tflbnn::Options options;
  const tflbnn::Status status = tflbnn::ParseOptions(keys, values, count, &options);
  TfLiteDelegate* delegate = status.ok() ? tflbnn::CreateDelegate(options) : nullptr;
  const std::string message = delegate      ? ""
                              : status.ok() ? "tflbnn: no memory for a delegate"
                                            : "tflbnn: " + status.message();
  {
    LastError& error = TheLastError();
    const std::lock_guard<std::mutex> lock(error.mutex);
    snprintf(error.text, sizeof(error.text), "%s", message.c_str());
  }
  if (!delegate && report_error) report_error(message.c_str());
  return delegate;
}

}  // namespace

TfLiteDelegate* tflbnn_delegate_create(const char* const* keys, const char* const* values,
                                       size_t count) {
  return Create(keys, values, count, nullptr);
}

void tflbnn_delegate_destroy(TfLiteDelegate* delegate) { tflbnn::DestroyDelegate(delegate); }

const char* tflbnn_delegate_last_error(void) { return TheLastError().text; }

const char* tflbnn_delegate_version(void) { return TFLBNN_VERSION; }

const char* tflbnn_delegate_kernels(void) {
  static const std::string names = [] {
    std::string list;
    for (tflbnn::Isa isa : tflbnn::kAllIsas) {
      if (!tflbnn::CpuSupports(isa)) continue;
      if (!list.empty()) list += ",";
      list += tflbnn::IsaName(isa);
    }
    return list;
  }();
  return names.c_str();
}

int tflbnn_cpu_features(char* buffer, size_t size) {
  return snprintf(buffer, size, "%s", tflbnn::CpuFeatureNames().c_str());
}

TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values,
                                              size_t count, void (*report_error)(const char*)) {
  return Create(keys, values, count, report_error);
}

void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) { tflbnn::DestroyDelegate(delegate); }
