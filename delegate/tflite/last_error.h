// Why the last failing call of this thread failed.
#pragma once

#include <string>

namespace tflbnn {

void SetLastError(const std::string& message);
const char* LastError();

}  // namespace tflbnn
