#pragma once

#include "core/status.h"
#include "tflite/abi.h"

namespace tflbnn {

// Whether the interpreter that calls us lays its structures out as abi.h says. An unknown runtime
// gets an error, as far as that shows, rather than memory faults.
Status CheckRuntime(const TfLiteContext* context);

}  // namespace tflbnn
