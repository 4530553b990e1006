#pragma once

#include <string>

#include "tflite/abi.h"
#include "tflite/options.h"

namespace tflbnn {

TfLiteDelegate* CreateDelegate(const Options& options);
void DestroyDelegate(TfLiteDelegate* delegate);
// An error where the delegate was not created with the option profile.
Status ProfileJson(TfLiteDelegate* delegate, std::string* json);

}  // namespace tflbnn
