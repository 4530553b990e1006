// A test harness in a page.
//
//   TEST(Name) { CHECK(condition); CHECK_EQ(got, want); }
//
// tflbnn_tests [--quick] [substring...] runs the tests whose names contain one of the substrings;
// --quick is for emulators.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace tflbnn::testing {

struct Test {
  const char* name;
  void (*run)();
};
std::vector<Test>& Tests();
struct Registration {
  Registration(const char* name, void (*run)()) { Tests().push_back({name, run}); }
};

// Reports a failure of the running test, once with all details; further ones are only counted.
void Fail(const char* file, int line, const std::string& what);
bool Failed();

// For a pool: loops are shared however little there is to do.
constexpr double kShareEverything = 0;

// n random trials, fewer in quick runs.
int Trials(int n);

template <class T>
std::string Show(const T& value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else {
    return std::string(value);
  }
}

// Random numbers that are the same on every machine.
class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  uint32_t Bits() { return static_cast<uint32_t>(engine_()); }
  int Between(int low, int high) {
    return low + static_cast<int>(Bits() % (static_cast<uint32_t>(high - low) + 1));
  }
  bool OneIn(int n) { return Between(1, n) == 1; }
  // Any finite number, a few of them special.
  float Float() {
    if (OneIn(20)) return OneIn(2) ? 0.f : -0.f;
    return static_cast<float>(Between(-1000000, 1000000)) * 1e-5f;
  }
  template <class T>
  const T& Pick(const std::vector<T>& items) {
    return items[Bits() % items.size()];
  }

 private:
  std::mt19937 engine_;
};

// An array at an address that is not a multiple of more than sizeof(T), between canaries.
template <class T>
class Guarded {
 public:
  explicit Guarded(size_t size)
      : size_(size), memory_((size + 1) * sizeof(T) + 2 * kCanary + 64, kByte) {
    const auto address = reinterpret_cast<uintptr_t>(memory_.data()) + kCanary;
    offset_ = kCanary + (64 - address % 64) % 64 + sizeof(T);
  }
  T* data() { return reinterpret_cast<T*>(memory_.data() + offset_); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data()[i]; }
  bool Intact() const {
    for (size_t i = 0; i < memory_.size(); ++i) {
      const bool inside = i >= offset_ && i < offset_ + size_ * sizeof(T);
      if (!inside && memory_[i] != kByte) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kCanary = 128;
  static constexpr uint8_t kByte = 0xA5;
  size_t size_, offset_;
  std::vector<uint8_t> memory_;
};

}  // namespace tflbnn::testing

#define TEST(name)                                                                    \
  static void Test##name();                                                           \
  static const ::tflbnn::testing::Registration registration##name(#name, Test##name); \
  static void Test##name()

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) ::tflbnn::testing::Fail(__FILE__, __LINE__, #condition); \
  } while (false)

#define CHECK_EQ(got, want)                                                              \
  do {                                                                                   \
    const auto got_ = (got);                                                             \
    const auto want_ = (want);                                                           \
    if (!(got_ == want_)) {                                                              \
      ::tflbnn::testing::Fail(__FILE__, __LINE__,                                        \
                              std::string(#got " is ") + ::tflbnn::testing::Show(got_) + \
                                  ", not " + ::tflbnn::testing::Show(want_));            \
    }                                                                                    \
  } while (false)
