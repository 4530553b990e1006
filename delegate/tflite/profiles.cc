#include "tflite/profiles.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/bconv2d/bound.h"
#include "core/clock.h"

namespace tflbnn {
namespace {

constexpr int kClockTrials = 100;

// JSON knows no other locale than C's, and no infinity; these numbers are finite.
std::string Number(double value) {
  char text[40];
  snprintf(text, sizeof(text), "%.6g", value);
  for (char* c = text; *c; ++c) {
    if (*c == ',') *c = '.';
  }
  return text;
}

// Names come from model files: anything may stand in them. Bytes from 128 on are written as they
// are where they make UTF-8, and else as one replacement character each.
size_t Utf8Length(const std::string& text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  const uint8_t first = byte(at);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(at + 1) < 0xA0) return 0;   // overlong
  if (first == 0xED && byte(at + 1) >= 0xA0) return 0;  // surrogates
  if (first == 0xF0 && byte(at + 1) < 0x90) return 0;   // overlong
  if (first == 0xF4 && byte(at + 1) >= 0x90) return 0;  // past the last code point
  return length;
}

std::string Quoted(const std::string& text) {
  std::string result = "\"";
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<uint8_t>(text[i]);
    const size_t length = Utf8Length(text, i);
    if (length == 0) {
      result += "\\ufffd";
    } else if (c < 0x20) {
      char escape[8];
      snprintf(escape, sizeof(escape), "\\u%04x", c);
      result += escape;
    } else {
      if (c == '"' || c == '\\') result += '\\';
      result += text.substr(i, length);
    }
    i += std::max<size_t>(length, 1);
  }
  return result + "\"";
}

std::string Values(const std::vector<ValueInfo>& values) {
  std::string text = "[";
  for (const ValueInfo& value : values) {
    if (text.size() > 1) text += ",";
    text += "{\"name\":" + Quoted(value.name) + ",\"type\":\"" + DataTypeName(value.type) +
            "\",\"shape\":" + value.shape.ToString() + "}";
  }
  return text + "]";
}

std::string OperationJson(const OperationProfile& profile, int partition, size_t index, int threads,
                          double cycles_per_ms) {
  std::string text =
      "{\"partition\":" + std::to_string(partition) + ",\"index\":" + std::to_string(index) +
      ",\"op\":" + Quoted(profile.operation) + ",\"stages\":" + Quoted(profile.stages) +
      ",\"kernel\":" + Quoted(profile.kernel) + ",\"inputs\":" + Values(profile.inputs) +
      ",\"outputs\":" + Values(profile.outputs) + ",\"runs\":" + std::to_string(profile.runs) +
      ",\"median_ms\":" + Number(profile.median_ms) + ",\"best_ms\":" + Number(profile.best_ms) +
      ",\"total_ms\":" + Number(profile.total_ms) +
      ",\"binary_macs\":" + std::to_string(profile.binary_macs);
  const double cycles = profile.median_ms * cycles_per_ms;
  const double bound = BoundMacsPerCycle(profile.kernel.c_str()) * threads;
  const bool known = profile.binary_macs > 0 && cycles > 0;
  const double rate = known ? static_cast<double>(profile.binary_macs) / cycles : 0;
  text += ",\"macs_per_cycle\":" + (known ? Number(rate) : "null");
  text += ",\"bound_macs_per_cycle\":" +
          (profile.binary_macs > 0 && bound > 0 ? Number(bound) : "null");
  text += ",\"share_of_bound\":" + (known && bound > 0 ? Number(rate / bound) : "null");
  return text + "}";
}

}  // namespace

int Profiles::NextIndex() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return next_++;
}

void Profiles::Add(int index, const std::shared_ptr<Profile>& profile) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(),
                                [](const Entry& entry) { return entry.profile.expired(); }),
                 entries_.end());
  entries_.push_back({index, profile});
}

std::string Profiles::Json(int threads) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<double> clocks;
  for (const Entry& entry : entries_) {
    const auto profile = entry.profile.lock();
    if (!profile) continue;
    const std::vector<double> samples = profile->Clocks();
    clocks.insert(clocks.end(), samples.begin(), samples.end());
  }
  const double cycles_per_second =
      clocks.empty() ? CyclesPerSecond(kClockTrials) : Median(std::move(clocks));
  std::string text = "{\"threads\":" + std::to_string(threads) + ",\"clock_ghz\":" +
                     (cycles_per_second > 0 ? Number(cycles_per_second / 1e9) : "null") +
                     ",\"operations\":[";
  bool first = true;
  for (const Entry& entry : entries_) {
    const auto profile = entry.profile.lock();
    if (!profile) continue;
    const std::vector<OperationProfile> operations = profile->Read();
    for (size_t i = 0; i < operations.size(); ++i) {
      if (!first) text += ",";
      first = false;
      text += OperationJson(operations[i], entry.partition, i, threads, cycles_per_second / 1e3);
    }
  }
  return text + "]}";
}

}  // namespace tflbnn
