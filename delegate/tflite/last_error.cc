#include "tflite/last_error.h"

#include <cstdio>

namespace tflbnn {
namespace {

// A plain array: nothing to construct or destroy when threads come and go.
thread_local char last_error[512] = "";

}  // namespace

void SetLastError(const std::string& message) {
  snprintf(last_error, sizeof(last_error), "%s%s",
           message.empty() ? "" : "tflbnn: ", message.c_str());
}

const char* LastError() { return last_error; }

}  // namespace tflbnn
