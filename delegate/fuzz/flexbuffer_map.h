// Writes what LCE's converter writes as custom options: a FlexBuffer map of integers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tflbnn::fuzz {

std::vector<uint8_t> WriteFlexBufferMap(const std::map<std::string, int32_t>& entries);

}  // namespace tflbnn::fuzz
