#include "tflite/options.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

namespace tflbnn {
namespace {

// Insertions, deletions and replacements of characters that make one word the other.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

Status Unknown(const char* what, const std::string& received,
               const std::vector<std::string>& known) {
  const std::string shown = received.substr(0, 64);
  const auto nearest =
      std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
        return EditDistance(shown, a) < EditDistance(shown, b);
      });
  return Status::Error("unknown %s. Received: %s. Did you mean %s?", what, shown.c_str(),
                       nearest->c_str());
}

Status ParseKernel(const std::string& value, Isa* kernel) {
  if (value == "auto") {
    *kernel = BestIsa();
    return Status::Ok();
  }
  std::vector<std::string> known = {"auto"};
  for (Isa isa : kAllIsas) {
    known.push_back(IsaName(isa));
    if (value != IsaName(isa)) continue;
    if (!CpuSupports(isa)) {
      return Status::Error("this processor cannot run the kernels %s. Use kernel=auto",
                           value.c_str());
    }
    *kernel = isa;
    return Status::Ok();
  }
  return Unknown("value of the option kernel", value, known);
}

Status ParseThreads(const std::string& value, int* threads) {
  char* end = nullptr;
  errno = 0;
  const long number = std::strtol(value.c_str(), &end, 10);
  if (errno || value.empty() || *end || number < 1 || number > kMaxThreads) {
    return Status::Error("the option num_threads must be an integer from 1 to %d. Received: %s",
                         kMaxThreads, value.substr(0, 64).c_str());
  }
  *threads = static_cast<int>(number);
  return Status::Ok();
}

Status ParseSwitch(const std::string& key, const std::string& value, bool* on) {
  if (value != "true" && value != "false") {
    return Status::Error("the option %s must be true or false. Received: %s", key.c_str(),
                         value.substr(0, 64).c_str());
  }
  *on = value == "true";
  return Status::Ok();
}

// "all", "none", names with or without a -, separated by commas, from left to right.
Status ParseFusions(const std::string& value, Fusions* fusions) {
  const std::vector<std::string> names = {
#define FUSION(name) #name,
#include "tflite/fusion/fusions.inc"
#undef FUSION
  };
  size_t begin = 0;
  while (begin <= value.size()) {
    const size_t end = std::min(value.find(',', begin), value.size());
    const std::string word = value.substr(begin, end - begin);
    const bool leave_out = word[0] == '-';
    const auto name = std::find(names.begin(), names.end(), word.substr(leave_out));
    if (word == "all" || word == "none") {
      fusions->bits = word == "all" ? ~0u : 0;
    } else if (name != names.end()) {
      const uint32_t bit = 1u << (name - names.begin());
      fusions->bits = leave_out ? fusions->bits & ~bit : fusions->bits | bit;
    } else {
      std::vector<std::string> known = {"all", "none"};
      for (const char* sign : {"", "-"}) {
        for (const std::string& known_name : names) known.push_back(sign + known_name);
      }
      return Unknown("value of the option fusion", word, known);
    }
    begin = end + 1;
  }
  return Status::Ok();
}

}  // namespace

Status ParseOptions(const char* const* keys, const char* const* values, size_t count,
                    Options* options) {
  bool kernel_given = false;
  for (size_t i = 0; i < count; ++i) {
    const std::string key = keys[i] ? keys[i] : "", value = values[i] ? values[i] : "";
    if (key == "num_threads") {
      TFLBNN_RETURN_IF_ERROR(ParseThreads(value, &options->num_threads));
    } else if (key == "kernel") {
      TFLBNN_RETURN_IF_ERROR(ParseKernel(value, &options->kernel));
      kernel_given = true;
    } else if (key == "fusion") {
      TFLBNN_RETURN_IF_ERROR(ParseFusions(value, &options->fusions));
    } else if (key == "profile" || key == "verify") {
      TFLBNN_RETURN_IF_ERROR(
          ParseSwitch(key, value, key == "profile" ? &options->profile : &options->verify));
    } else {
      return Unknown("option", key, {"num_threads", "kernel", "fusion", "profile", "verify"});
    }
  }
  if (kernel_given) return Status::Ok();
  const char* kernel = std::getenv("TFLBNN_KERNEL");
  const Status status = ParseKernel(kernel && *kernel ? kernel : "auto", &options->kernel);
  if (status.ok()) return status;
  return Status::Error("environment variable TFLBNN_KERNEL: %s", status.message().c_str());
}

}  // namespace tflbnn
