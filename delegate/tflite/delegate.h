#pragma once

#include "tflite/abi.h"
#include "tflite/options.h"

namespace tflbnn {

TfLiteDelegate* CreateDelegate(const Options& options);
void DestroyDelegate(TfLiteDelegate* delegate);

}  // namespace tflbnn
