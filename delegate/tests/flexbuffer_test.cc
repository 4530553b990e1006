#include "tflite/flexbuffer.h"

#include "tests/testing.h"

namespace tflbnn {
namespace {

int32_t Get(const std::vector<uint8_t>& bytes, const char* key, std::string* error) {
  FlexBufferMap map;
  int32_t value = 0;
  Status status = FlexBufferMap::Parse(bytes.data(), bytes.size(), &map);
  if (status.ok()) status = map.GetInt(key, &value);
  *error = status.message();
  return value;
}

// Keys with one-byte references, values `width` bytes wide.
std::vector<uint8_t> Build(int width, const std::vector<std::pair<std::string, int64_t>>& items) {
  std::vector<uint8_t> bytes, positions;
  auto put = [&bytes](int64_t value, int n) {
    for (int i = 0; i < n; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
  };
  for (const auto& item : items) {
    positions.push_back(static_cast<uint8_t>(bytes.size()));
    bytes.insert(bytes.end(), item.first.begin(), item.first.end());
    bytes.push_back(0);
  }
  put(static_cast<int64_t>(items.size()), 1);
  const size_t keys = bytes.size();
  for (uint8_t position : positions) put(static_cast<int64_t>(bytes.size()) - position, 1);
  put(static_cast<int64_t>(bytes.size() - keys), width);  // distance to the keys
  put(1, width);                                          // their width
  put(static_cast<int64_t>(items.size()), width);
  const size_t values = bytes.size();
  for (const auto& item : items) put(item.second, width);
  const int log2 = width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3;
  for (size_t i = 0; i < items.size(); ++i) put(1 << 2 | log2, 1);
  put(static_cast<int64_t>(bytes.size() - values), 1);  // the root refers to the values
  put(9 << 2 | log2, 1);
  put(1, 1);
  return bytes;
}

TEST(FlexBufferIntegersOfEveryWidth) {
  for (const int width : {1, 2, 4, 8}) {
    std::string error;
    const auto bytes = Build(width, {{"alpha", 5}, {"beta", -7}, {"gamma", 127}});
    CHECK_EQ(Get(bytes, "alpha", &error), 5);
    CHECK_EQ(error, "");
    CHECK_EQ(Get(bytes, "beta", &error), -7);
    CHECK_EQ(Get(bytes, "gamma", &error), 127);
    Get(bytes, "alph", &error);
    CHECK_EQ(error, "the option alph is missing");
    Get(bytes, "alphabet", &error);
    CHECK_EQ(error, "the option alphabet is missing");
  }
  std::string error;
  Get(Build(8, {{"big", int64_t{1} << 31}}), "big", &error);
  CHECK_EQ(error, "the option big is no 32-bit integer");
  CHECK_EQ(Get(Build(8, {{"low", -(int64_t{1} << 31)}}), "low", &error), INT32_MIN);
}

TEST(FlexBufferCutAnywhereIsRefusedOrRead) {
  const auto bytes = Build(2, {{"alpha", 5}, {"beta", -7}});
  for (size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that a sanitizer sees reads past the end.
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    std::string error;
    Get(cut, "alpha", &error);
    Get(cut, "missing", &error);
    CHECK(error != "");
  }
  FlexBufferMap map;
  CHECK(!FlexBufferMap::Parse(nullptr, 0, &map).ok());
}

TEST(FlexBufferSurvivesMutations) {
  testing::Random random(3);
  int read = 0;
  for (int trial = 0; trial < testing::Trials(100000); ++trial) {
    auto bytes =
        Build(random.Pick<int>({1, 2, 4, 8}), {{"alpha", 5}, {"beta", -7}, {"stride_height", 2}});
    for (int i = random.Between(1, 6); i > 0; --i) {
      bytes[random.Bits() % bytes.size()] =
          static_cast<uint8_t>(random.OneIn(2) ? random.Bits() : random.Between(0, 9));
    }
    if (random.OneIn(4)) bytes.resize(random.Bits() % bytes.size());
    bytes.shrink_to_fit();
    std::string error;
    Get(bytes, "stride_height", &error);
    read += error.empty();
  }
  CHECK(read > 0);
}

}  // namespace
}  // namespace tflbnn
