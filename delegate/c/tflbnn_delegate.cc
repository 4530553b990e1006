#include "c/tflbnn_delegate.h"

#include <cstdio>
#include <string>
#include <vector>

#include "core/cpu_features.h"
#include "tflite/delegate.h"
#include "tflite/last_error.h"
#include "tflite/options.h"

namespace {

using tflbnn::LastError;
using tflbnn::SetLastError;

TfLiteDelegate* Create(const char* const* keys, const char* const* values, size_t count) {
  tflbnn::Options options;
  const tflbnn::Status status = tflbnn::ParseOptions(keys, values, count, &options);
  TfLiteDelegate* delegate = status.ok() ? tflbnn::CreateDelegate(options) : nullptr;
  SetLastError(delegate ? "" : status.ok() ? "no memory for a delegate" : status.message());
  return delegate;
}

}  // namespace

TfLiteDelegate* tflbnn_delegate_create(const tflbnn_delegate_options* options) {
  const tflbnn_delegate_options defaults = tflbnn_delegate_default_options();
  if (!options) options = &defaults;
  // No version has been without any of these fields. What a later one may have added is unknown
  // here and might be wanted.
  if (options->size != sizeof(tflbnn_delegate_options)) {
    SetLastError(
        "the options must come from tflbnn_delegate_default_options() of this library's header. "
        "Received: a structure of " +
        std::to_string(options->size) + " bytes instead of " +
        std::to_string(sizeof(tflbnn_delegate_options)));
    return nullptr;
  }
  const std::string threads = std::to_string(options->num_threads);
  std::vector<const char*> keys, values;
  const auto set = [&](const char* key, const char* value) {
    keys.push_back(key);
    values.push_back(value);
  };
  if (options->num_threads != 0) set("num_threads", threads.c_str());
  if (options->profile) set("profile", "true");
  if (options->verify) set("verify", "true");
  if (options->kernel) set("kernel", options->kernel);
  if (options->fusion) set("fusion", options->fusion);
  return Create(keys.data(), values.data(), keys.size());
}

void tflbnn_delegate_destroy(TfLiteDelegate* delegate) { tflbnn::DestroyDelegate(delegate); }

const char* tflbnn_delegate_last_error(void) { return LastError(); }

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

ptrdiff_t tflbnn_delegate_profile(TfLiteDelegate* delegate, char* buffer, size_t size) {
  std::string json;
  const tflbnn::Status status = delegate ? tflbnn::ProfileJson(delegate, &json)
                                         : tflbnn::Status::Error("a profile needs a delegate");
  SetLastError(status.message());
  if (!status.ok()) return -1;
  if (size > 0) snprintf(buffer, size, "%s", json.c_str());
  return static_cast<ptrdiff_t>(json.size());
}

int tflbnn_cpu_features(char* buffer, size_t size) {
  return snprintf(buffer, size, "%s", tflbnn::CpuFeatureNames().c_str());
}

TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values,
                                              size_t count, void (*report_error)(const char*)) {
  TfLiteDelegate* delegate = Create(keys, values, count);
  if (!delegate && report_error) report_error(LastError());
  return delegate;
}

void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) { tflbnn::DestroyDelegate(delegate); }
