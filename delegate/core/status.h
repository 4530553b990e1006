// The result of an operation that may fail: either fine, or one sentence that says why not.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <string>

namespace tflbnn {

class [[nodiscard]] Status {
 public:
  static Status Ok() { return Status(); }

  __attribute__((format(printf, 1, 2))) static Status Error(const char* format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    Status status;
    status.message_ = text;
    return status;
  }

  bool ok() const { return message_.empty(); }
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

#define TFLBNN_RETURN_IF_ERROR(expression)   \
  do {                                       \
    ::tflbnn::Status status_ = (expression); \
    if (!status_.ok()) return status_;       \
  } while (false)

}  // namespace tflbnn
