#include "fuzz/flexbuffer_map.h"

namespace tflbnn::fuzz {

std::vector<uint8_t> WriteFlexBufferMap(const std::map<std::string, int32_t>& entries) {
  constexpr uint8_t kInt32 = 1 << 2 | 2, kMap = 9 << 2 | 2;  // type and width, packed
  std::vector<uint8_t> out;
  auto append = [&out](uint32_t word) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<uint8_t>(word >> shift));
  };
  auto position = [&out] { return static_cast<uint32_t>(out.size()); };
  std::vector<uint32_t> keys;
  for (const auto& entry : entries) {
    keys.push_back(position());
    for (char letter : entry.first) out.push_back(static_cast<uint8_t>(letter));
    out.push_back(0);
  }
  const auto count = static_cast<uint32_t>(entries.size());
  append(count);
  const uint32_t key_vector = position();
  for (uint32_t key : keys) append(position() - key);
  append(position() - key_vector);
  append(4);  // bytes of a key's offset
  append(count);
  const uint32_t values = position();
  for (const auto& entry : entries) append(static_cast<uint32_t>(entry.second));
  out.insert(out.end(), count, kInt32);
  append(position() - values);
  out.push_back(kMap);
  out.push_back(4);  // bytes of the root
  return out;
}

}  // namespace tflbnn::fuzz
